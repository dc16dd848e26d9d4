use super::*;
use std::os::unix::fs::PermissionsExt;

const VERSIONS: &[&str] = &["CREATE TABLE IF NOT EXISTS t (a INTEGER NOT NULL UNIQUE) STRICT;"];

fn folder(dir: &tempfile::TempDir) -> Place {
    Place::Folder(dir.path().to_owned())
}

async fn count(db: &Db) -> i64 {
    let count = |tx: &Tx<'_>| tx.one("SELECT count(*) FROM t", params![])?.int(0);
    db.read::<_, DbError, _>(count).await.unwrap()
}

async fn insert(db: &Db, value: i64) -> Result<u64, DbError> {
    db.call(move |tx| tx.execute("INSERT INTO t VALUES (?1)", params![value])).await
}

#[tokio::test]
async fn work_is_done_in_order_and_survives_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&folder(&dir), "a", VERSIONS).unwrap();
    for value in 0..5 {
        insert(&db, value).await.unwrap();
    }
    drop(db);
    let db = Db::open(&folder(&dir), "a", VERSIONS).unwrap();
    assert_eq!(count(&db).await, 5);
    let path = dir.path().join("a.db");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.db"), vec![7u8; 8192]).unwrap();
    let Err(error) = Db::open(&folder(&dir), "a", VERSIONS) else { panic!("opened rubbish") };
    assert!(error.to_string().contains("a.db"), "{error}");
}

#[tokio::test]
async fn tables_are_brought_up_to_date_once_and_never_back() {
    const TWO: &[&str] = &[VERSIONS[0], "ALTER TABLE t ADD COLUMN b TEXT;"];
    let dir = tempfile::tempdir().unwrap();
    drop(Db::open(&folder(&dir), "a", VERSIONS).unwrap());
    for _ in 0..2 {
        let db = Db::open(&folder(&dir), "a", TWO).unwrap();
        let written = db.call::<_, DbError, _>(|tx| tx.execute("UPDATE t SET b = 'x'", params![]));
        written.await.unwrap();
    }
    let Err(DbError::Newer { found: 2, known: 1, .. }) = Db::open(&folder(&dir), "a", VERSIONS)
    else {
        panic!("tables of a later version were taken for ours");
    };
}

#[tokio::test]
async fn a_panic_or_an_error_costs_its_call_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&folder(&dir), "a", VERSIONS).unwrap();
    let panicked = db
        .call::<(), DbError, _>(|tx| {
            tx.execute("INSERT INTO t VALUES (1)", params![])?;
            panic!("on purpose");
        })
        .await;
    assert!(matches!(panicked, Err(DbError::Panicked)), "{panicked:?}");
    let failed = db
        .call::<(), DbError, _>(|tx| {
            tx.execute("INSERT INTO t VALUES (1)", params![])?;
            tx.execute("INSERT INTO t VALUES (1)", params![])?;
            Ok(())
        })
        .await;
    assert!(matches!(failed, Err(DbError::Statement(_))), "{failed:?}");
    assert_eq!(count(&db).await, 0);
}

#[test]
fn values_are_not_shown() {
    let shown = format!("{:?}", Row(vec![Value::from("11010519491231002X"), Value::from(7_i64)]));
    assert!(!shown.contains("110105") && !shown.contains('7'), "{shown}");
}
