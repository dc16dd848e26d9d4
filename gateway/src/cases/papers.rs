//! Why: papers are the bulk of a case and lie beside its rows. A row may only name what is durable,
//! and what no row names must not stay: so a paper's name is noted before it is written and
//! forgotten when its case has it.
//!
//! Refuses: to use a name twice, and to make a paper part of a case whose note is gone, because
//! then its bytes may be gone too.

use jiff::{SignedDuration, Timestamp};
use personal::PersonalBytes;
use uuid::Uuid;

use super::Cases;
use super::intake::{IntakeError, NewPaper};
use super::rows::PaperRow;
use crate::db::{DbError, Tx, params};
use crate::failpoints::crash_point;
use crate::http::ApiError;

/// Longer than it takes to write the papers of any submission.
const GRACE: SignedDuration = SignedDuration::from_hours(1);
/// Papers that are removed in one go.
const HANDFUL: u32 = 200;

impl Cases {
    /// Writes papers; they are not part of the case yet.
    pub(super) async fn write_papers(
        &self,
        case: Uuid,
        submission: Uuid,
        papers: Vec<NewPaper>,
    ) -> Result<Vec<PaperRow>, IntakeError> {
        let attempt = Uuid::now_v7().simple();
        let (mut rows, mut bytes) = (Vec::new(), Vec::<(String, PersonalBytes)>::new());
        for paper in papers {
            let file = format!("{submission}.{attempt}/{}", paper.name);
            bytes.push((name(case, &file), paper.bytes));
            let content = bytes.last().map(|(_, bytes)| bytes.expose().as_slice());
            let content = content.unwrap_or_default();
            rows.push(PaperRow {
                kind: paper.kind,
                page: paper.page,
                file,
                media_type: paper.media_type,
                bytes: content.len() as u64,
                sha256: envelope::sha256(content).to_string(),
            });
        }
        let names: Vec<String> = bytes.iter().map(|(name, _)| name.clone()).collect();
        let now = Timestamp::now().as_millisecond();
        self.db.call::<_, DbError, _>(move |tx| note(tx, &names, now)).await?;
        crash_point!("gateway.papers.noted");
        self.objects.put_papers(bytes).await?;
        Ok(rows)
    }

    /// Removes papers that no case has; answers how many.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, ApiError> {
        let before = (now - GRACE).as_millisecond();
        let mut removed = 0;
        loop {
            // Committed before they are removed: from then on no case can take them.
            let doomed = self.db.call(move |tx| doom(tx, before)).await?;
            if doomed.is_empty() {
                return Ok(removed);
            }
            removed += doomed.len();
            self.objects.remove_papers(doomed.clone()).await?;
            self.db.call(move |tx| forget(tx, &doomed)).await?;
        }
    }
}

/// Where a paper lies, below the folder of all cases.
pub(super) fn name(case: Uuid, file: &str) -> String {
    format!("{case}/{file}")
}

/// Notes papers as not wanted.
pub(super) fn note(tx: &Tx<'_>, names: &[String], at: i64) -> Result<(), DbError> {
    for name in names {
        tx.execute(
            "INSERT INTO unwanted_papers (name, noted_at) VALUES (?1, ?2)",
            params![name, at],
        )?;
    }
    Ok(())
}

/// Makes papers wanted.
pub(super) fn claim(tx: &Tx<'_>, case: Uuid, papers: &[PaperRow]) -> Result<(), IntakeError> {
    for paper in papers {
        let noted = tx.execute(
            "DELETE FROM unwanted_papers WHERE name = ?1 AND noted_at > 0",
            params![name(case, &paper.file)],
        )?;
        if noted != 1 {
            return Err(IntakeError::TooLate);
        }
    }
    Ok(())
}

/// Picks papers to be removed. Their notes become those of replaced ones, which nobody can claim.
fn doom(tx: &Tx<'_>, before: i64) -> Result<Vec<String>, DbError> {
    tx.execute(
        "UPDATE unwanted_papers SET noted_at = 0 WHERE noted_at > 0 AND noted_at < ?1",
        params![before],
    )?;
    let rows = tx.rows(
        "SELECT name FROM unwanted_papers WHERE noted_at = 0 ORDER BY name LIMIT ?1",
        params![HANDFUL],
    )?;
    rows.iter().map(|row| row.string(0)).collect()
}

fn forget(tx: &Tx<'_>, names: &[String]) -> Result<(), DbError> {
    for name in names {
        tx.execute("DELETE FROM unwanted_papers WHERE name = ?1", params![name])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Place;
    use crate::objects::Objects;
    use std::path::Path;
    use std::sync::Arc;

    fn paper() -> NewPaper {
        NewPaper {
            kind: "identity_card".into(),
            page: 1,
            name: "identity_card-1.jpg".into(),
            media_type: "image/jpeg".into(),
            bytes: b"photograph".to_vec().into(),
        }
    }

    async fn forgotten_papers_are_swept(place: Place, objects: Arc<dyn Objects>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan");
        let catalog = Arc::new(catalog::Catalog::load(&folder).unwrap());
        let cases = Cases::open(&place, Arc::clone(&objects), catalog).unwrap();
        let (case, submission) = (Uuid::now_v7(), Uuid::now_v7());
        let kept = cases.write_papers(case, submission, vec![paper()]).await.unwrap();
        let lost = cases.write_papers(case, submission, vec![paper()]).await.unwrap();
        let file = name(case, &kept[0].file);
        cases.db.call(move |tx| claim(tx, case, &kept)).await.unwrap();

        let now = Timestamp::now();
        assert_eq!(cases.sweep(now).await.unwrap(), 0, "somebody may be at it");
        let gone = name(case, &lost[0].file);
        assert_eq!(objects.paper(gone.clone()).await.unwrap(), b"photograph");
        assert_eq!(cases.sweep(now + SignedDuration::from_hours(2)).await.unwrap(), 1);
        assert!(objects.paper(gone).await.is_err());
        assert_eq!(objects.paper(file).await.unwrap(), b"photograph");
        // Whoever was slower than that gets nothing, rather than a row without its bytes.
        let late = cases.db.call(move |tx| claim(tx, case, &lost)).await;
        assert!(matches!(late, Err(IntakeError::TooLate)), "{late:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn forgotten_papers_are_swept_from_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (place, objects) = crate::testing::embedded(dir.path()).await;
        forgotten_papers_are_swept(place, objects).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn forgotten_papers_are_swept_from_a_bucket() {
        let (place, objects) = crate::testing::shared().await;
        forgotten_papers_are_swept(place, objects).await;
    }
}
