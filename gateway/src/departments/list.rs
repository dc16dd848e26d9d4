//! Why: what a department still has to do, as a sheet of paper or as a table: for people whose
//! system takes no data. Ticking off is done where every report is done; the paper only helps.
//!
//! Refuses: markup in what people wrote (the template escapes it), and cells that a spreadsheet
//! would run as formulas or spoil as numbers.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::Offset;

use crate::cases::{Cases, WorkItem, WorkPaper};

/// A spreadsheet that meets no mark at the beginning takes the text for another encoding.
const MARK: &str = "\u{feff}";
/// Digits that a spreadsheet still keeps when it takes a text for a number.
const SAFE_DIGITS: usize = 15;

/// A department's work list, ready to be written.
pub struct Sheet {
    heading: String,
    printed_at: Timestamp,
    items: Vec<(WorkItem, Vec<Option<String>>)>,
}

/// A list could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// As a page.
    #[error("the list could not be written as a page; report this as an error of the program")]
    Html(#[from] askama::Error),
    /// As a table.
    #[error("the list could not be written as a table; report this as an error of the program")]
    Csv,
}

#[derive(Template)]
#[template(path = "worklist.html")]
struct Page<'a> {
    heading: &'a str,
    printed_at: String,
    items: Vec<Line<'a>>,
}

struct Line<'a> {
    title: &'a str,
    receipt_number: &'a str,
    case_id: String,
    dispatched_at: String,
    state: &'static str,
    changed: String,
    fields: Vec<(&'a str, &'a str)>,
    papers: Vec<Picture<'a>>,
}

struct Picture<'a> {
    title: &'a str,
    page: u32,
    source: Option<&'a str>,
}

impl Sheet {
    /// A list without pictures.
    pub fn new(heading: String, printed_at: Timestamp, items: Vec<WorkItem>) -> Self {
        let bare = |item: WorkItem| {
            let none = vec![None; item.papers.len()];
            (item, none)
        };
        Self { heading, printed_at, items: items.into_iter().map(bare).collect() }
    }

    /// Puts the photographs on it, so that the list is all that is needed.
    pub async fn with_papers(
        mut self,
        cases: &Cases,
        department: &str,
    ) -> Result<Self, crate::http::ApiError> {
        for (item, pictures) in &mut self.items {
            for (paper, picture) in item.papers.iter().zip(pictures) {
                *picture = source(cases, department, item, paper).await?;
            }
        }
        Ok(self)
    }

    /// As a page for printing on A4.
    pub fn html(&self) -> Result<String, ListError> {
        let items = self.items.iter().map(|(item, pictures)| line(item, pictures)).collect();
        let printed_at = local(self.printed_at);
        Ok(Page { heading: &self.heading, printed_at, items }.render()?)
    }

    /// As a table: one line for each service, one column for each field that occurs.
    pub fn csv(&self) -> Result<Vec<u8>, ListError> {
        let mut labels: Vec<&str> = Vec::new();
        for (label, _) in self.items.iter().flat_map(|(item, _)| &item.fields) {
            if !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(MARK.as_bytes().to_vec());
        let begin = ["序号", "事项", "受理编号", "案件编号", "派发时间", "状态", "补正内容"];
        let end = ["材料", "办结", "经办人", "日期"];
        let head = begin.iter().chain(&labels).chain(&end);
        writer.write_record(head).map_err(|_| ListError::Csv)?;
        for (index, (item, pictures)) in self.items.iter().enumerate() {
            let line = line(item, pictures);
            let value = |label: &&str| {
                let found = line.fields.iter().find(|(field, _)| field == label);
                found.map_or("", |(_, text)| text).to_owned()
            };
            let papers: Vec<String> =
                line.papers.iter().map(|paper| format!("{}{}", paper.title, paper.page)).collect();
            let mut cells = vec![
                (index + 1).to_string(),
                line.title.to_owned(),
                line.receipt_number.to_owned(),
                line.case_id,
                line.dispatched_at,
                line.state.to_owned(),
                line.changed,
            ];
            cells.extend(labels.iter().map(value));
            cells.extend([papers.join("、"), "□".into(), String::new(), String::new()]);
            let cells = cells.into_iter().map(harmless);
            writer.write_record(cells).map_err(|_| ListError::Csv)?;
        }
        writer.into_inner().map_err(|_| ListError::Csv)
    }
}

fn line<'a>(item: &'a WorkItem, pictures: &'a [Option<String>]) -> Line<'a> {
    let picture = |(paper, picture): (&'a WorkPaper, &'a Option<String>)| Picture {
        title: &paper.title,
        page: paper.paper.page,
        source: picture.as_deref(),
    };
    Line {
        title: &item.title,
        receipt_number: &item.receipt_number,
        case_id: item.case_id.to_string(),
        dispatched_at: local(item.dispatched_at),
        state: if item.begun { "办理中" } else { "未回传" },
        changed: item.changed.join("、"),
        fields: item.fields.iter().map(|(label, text)| (label.as_str(), text.as_str())).collect(),
        papers: item.papers.iter().zip(pictures).map(picture).collect(),
    }
}

/// Only pictures as they come from terminals; anything else stays where it is.
async fn source(
    cases: &Cases,
    department: &str,
    item: &WorkItem,
    paper: &WorkPaper,
) -> Result<Option<String>, crate::http::ApiError> {
    let kind = match paper.paper.media_type.as_str() {
        kind @ ("image/jpeg" | "image/png" | "image/webp") => kind,
        _ => return Ok(None),
    };
    let name = paper.paper.name.clone();
    let found = cases.department_paper(department.to_owned(), item.case_id, name).await?;
    Ok(Some(format!("data:{kind};base64,{}", STANDARD.encode(&found.bytes))))
}

/// The whole country keeps Beijing time.
fn local(at: Timestamp) -> String {
    Offset::constant(8).to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// An apostrophe makes a cell text. Without it a spreadsheet runs what begins like a formula, and
/// takes an identity number for a number of which it forgets the last digits.
fn harmless(cell: String) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let digits = cell.len() > SAFE_DIGITS && cell.bytes().all(|byte| byte.is_ascii_digit());
    if formula || digits { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(field: &str) -> WorkItem {
        let paper = serde_json::json!({
            "name": "party_letter-1", "kind": "party_letter", "page": 1,
            "media_type": "image/jpeg", "bytes": 3, "sha256": "00",
        });
        let paper = serde_json::from_value(paper).unwrap();
        WorkItem {
            case_id: uuid::Uuid::nil(),
            receipt_number: "510106-1-0001".into(),
            title: "党组织关系转接".into(),
            dispatched_at: "2024-03-01T23:30:00Z".parse().unwrap(),
            begun: false,
            changed: vec!["联系电话".into()],
            fields: vec![
                ("姓名".into(), field.into()),
                ("号码".into(), "110105194912310025".into()),
            ],
            papers: vec![WorkPaper { title: "党组织关系介绍信".into(), paper }],
        }
    }

    fn sheet(field: &str) -> Sheet {
        Sheet::new(
            "样本市委组织部".into(),
            "2024-03-02T01:00:00Z".parse().unwrap(),
            vec![item(field)],
        )
    }

    #[test]
    fn a_page_is_in_chinese_for_paper_and_holds_no_markup_of_others() {
        let page = sheet("<script>alert(1)</script>&\"'").html().unwrap();
        assert!(!page.contains("<script"), "{page}");
        for text in [
            "<html lang=\"zh-CN\">",
            "size: A4",
            "样本市委组织部",
            "共 1 项",
            "2024-03-02 09:00",
            "2024-03-02 07:30",
            "510106-1-0001",
            "党组织关系介绍信",
            "补正内容",
            "class=\"box\"",
            "break-inside: avoid",
        ] {
            assert!(page.contains(text), "{text}");
        }
        let empty = Sheet::new("x".into(), Timestamp::UNIX_EPOCH, Vec::new()).html().unwrap();
        assert!(empty.contains("没有待办事项"));
    }

    #[test]
    fn a_table_opens_as_text_in_a_spreadsheet() {
        let bytes = sheet("=HYPERLINK(\"x\"),\r\n甲").csv().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let table = text.strip_prefix(MARK).unwrap();
        assert!(table.ends_with("\r\n"));
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let head = reader.headers().unwrap().clone();
        let row = reader.records().next().unwrap().unwrap();
        let cell = |name: &str| &row[head.iter().position(|found| found == name).unwrap()];
        assert_eq!(cell("姓名"), "'=HYPERLINK(\"x\"),\r\n甲");
        assert_eq!(cell("号码"), "'110105194912310025");
        assert_eq!(cell("受理编号"), "510106-1-0001");
        assert_eq!((cell("序号"), cell("办结")), ("1", "□"));
    }

    proptest! {
        #[test]
        fn whatever_people_wrote_stays_in_its_cell(text in "\\PC{0,40}") {
            let table = sheet(&text).csv().unwrap();
            let mut reader = csv::Reader::from_reader(&table[MARK.len()..]);
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 1);
            let cell = &rows[0][7];
            prop_assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), text.strip_prefix('\'').unwrap_or(&text));
            let begins_formula = cell.starts_with(['=', '+', '-', '@']);
            prop_assert!(!begins_formula);
        }
    }
}
