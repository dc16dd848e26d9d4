//! Why: people choose a place from a list instead of typing it, and every department wants the
//! six-digit code. The list is the nation's, shared by all provinces' catalogues.
//!
//! Refuses to invent: where a level is missing in the world (the districts of 北京市 lie directly
//! below it, 东莞市 has no counties) it is missing here. Places that were abolished are not listed;
//! questions that need them take free text.

use std::collections::BTreeMap;

/// Provinces, prefectures and counties.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    names: BTreeMap<String, String>,
}

/// A row of the list that cannot be used, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadRow {
    pub line: usize,
    pub message: String,
}

impl Regions {
    /// Reads `code<TAB>name` rows; lines that start with `#` and empty ones are skipped. All bad
    /// rows are reported, not only the first.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<BadRow>> {
        let mut names = BTreeMap::new();
        let mut bad = Vec::new();
        for (index, row) in text.lines().enumerate() {
            let mut complain = |message: String| bad.push(BadRow { line: index + 1, message });
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            let Some((code, name)) = row.split_once('\t') else {
                complain("a row is a code, a tab and a name".to_owned());
                continue;
            };
            if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
                complain(format!("\"{code}\" is not a code of six digits"));
            } else if name.trim().is_empty() || name.contains('\t') {
                complain(format!("code {code} needs exactly one name"));
            } else if names.insert(code.to_owned(), name.trim().to_owned()).is_some() {
                complain(format!("code {code} is listed twice"));
            }
        }
        if bad.is_empty() { Ok(Self { names }) } else { Err(bad) }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True when the list is empty.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The place's own name, `金牛区`.
    pub fn name(&self, code: &str) -> Option<&str> {
        self.names.get(code).map(String::as_str)
    }

    /// The place one level up; `None` for a province and for a code that is not listed.
    pub fn parent(&self, code: &str) -> Option<&str> {
        self.names.get(code)?;
        let candidates = [format!("{}00", &code[..4]), format!("{}0000", &code[..2])];
        candidates
            .iter()
            .filter(|candidate| candidate.as_str() != code)
            .find_map(|candidate| self.names.get_key_value(candidate))
            .map(|(parent, _)| parent.as_str())
    }

    /// The places directly below `code`, by code; the provinces for an empty text.
    pub fn children(&self, code: &str) -> Vec<(&str, &str)> {
        let parent = if code.is_empty() { None } else { Some(code) };
        // Codes sort by province, so that one province's rows stand together.
        let province = code.get(..2).unwrap_or_default();
        self.names
            .range(province.to_owned()..)
            .take_while(|(candidate, _)| candidate.starts_with(province))
            .filter(|(candidate, _)| self.parent(candidate) == parent)
            .map(|(code, name)| (code.as_str(), name.as_str()))
            .collect()
    }

    /// From the province down to the place itself.
    pub fn path(&self, code: &str) -> Vec<&str> {
        let mut path = Vec::new();
        let mut next = self.names.get_key_value(code).map(|(code, _)| code.as_str());
        while let Some(step) = next {
            path.push(step);
            next = self.parent(step);
        }
        path.reverse();
        path
    }

    /// `四川省成都市金牛区`.
    pub fn full_name(&self, code: &str) -> Option<String> {
        let path = self.path(code);
        let named = path.iter().filter_map(|step| self.name(step)).collect::<String>();
        (!path.is_empty()).then_some(named)
    }

    /// 1 for a province, 2 and 3 below; steps that the world leaves out do not count.
    pub fn level(&self, code: &str) -> usize {
        self.path(code).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn national() -> Regions {
        Regions::parse(include_str!("../data/regions.tsv")).unwrap()
    }

    #[test]
    fn the_national_list_has_the_expected_size() {
        let regions = national();
        assert_eq!(regions.len(), 3_212);
        assert_eq!(regions.children("").len(), 34);
        let cities = regions.children("510000");
        assert_eq!(cities.len(), 21);
        let counties: usize = cities.iter().map(|(code, _)| regions.children(code).len()).sum();
        assert_eq!(counties, 183);
    }

    #[test]
    fn names_are_whole_paths() {
        let regions = national();
        assert_eq!(regions.full_name("510106").as_deref(), Some("四川省成都市金牛区"));
        assert_eq!(regions.full_name("110105").as_deref(), Some("北京市朝阳区"));
        assert_eq!(regions.full_name("441900").as_deref(), Some("广东省东莞市"));
        assert_eq!(regions.full_name("429004").as_deref(), Some("湖北省仙桃市"));
        assert_eq!(regions.full_name("710000").as_deref(), Some("台湾省"));
        assert_eq!(regions.full_name("999999"), None);
        assert!(regions.children("441900").is_empty());
        assert_eq!(regions.level("110105"), 2);
        assert_eq!(regions.level("510106"), 3);
        assert_eq!(regions.level("999999"), 0);
    }

    #[test]
    fn every_place_is_reached_from_the_provinces() {
        let regions = national();
        let mut reached = 0;
        let mut open: Vec<&str> = regions.children("").iter().map(|(code, _)| *code).collect();
        while let Some(code) = open.pop() {
            reached += 1;
            open.extend(regions.children(code).iter().map(|(code, _)| *code));
        }
        assert_eq!(reached, regions.len());
    }

    #[test]
    fn strange_codes_are_unknown_and_harmless() {
        let regions = national();
        for code in ["", "5", "51", "样本", "5101061", "\u{0}"] {
            assert_eq!(regions.name(code), None);
            assert_eq!(regions.parent(code), None);
            assert_eq!(regions.full_name(code), None);
            assert!(code.is_empty() || regions.children(code).is_empty());
        }
    }

    #[test]
    fn all_bad_rows_are_named_with_their_lines() {
        let bad =
            Regions::parse("# x\n51\t四川省\n510000\t\n110000 北京市\n110000\t甲\n110000\t乙\n")
                .unwrap_err();
        assert_eq!(bad.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4, 6]);
    }
}
