//! Why: what the keys of the panel write with: the engine of sounds with this province's places, and
//! the tables of rare characters, if the terminal has them.
//!
//! Refuses: to keep a terminal from starting. Without tables people write by sound and by code point.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::{Catalog, Regions};
use ime::rare::Rare;
use ime::{Engine, MODEL, Pinyin, PpOcr, Reads, Recogniser, Tables, Writer};

/// A writer for a terminal in `region`, with tables from the folder that `scripts/input-data` fills.
pub fn writer(
    catalog: &Catalog,
    region: &str,
    tables: Option<&Path>,
    handwriting: Option<&Path>,
) -> Writer {
    let model =
        handwriting.map(Path::to_owned).or_else(|| beside_the_programs("handwriting", MODEL));
    let tables = tables.map(Path::to_owned).or_else(|| beside_the_programs("input", "strokes.tsv"));
    let townships =
        tables.as_ref().and_then(|dir| std::fs::read_to_string(dir.join("regions.tsv")).ok());
    let divisions = townships.unwrap_or_else(|| counties(catalog.regions()));
    let near: String = region.chars().take(2).collect();
    let make = move || -> Box<dyn Engine> {
        match Pinyin::new().with_divisions(&divisions, &near) {
            Ok(engine) => Box::new(engine),
            Err(error) => {
                tracing::error!("places are not offered first: {error}");
                Box::new(Pinyin::new())
            }
        }
    };
    let writer = Writer::new(Box::new(make), tables.map_or_else(Tables::none, read_later));
    match model {
        Some(dir) => writer.with_recogniser(Box::new(move || recogniser(&dir)), Reads::Elsewhere),
        None => writer,
    }
}

/// Seventeen megabytes that are read when somebody first writes by hand.
fn recogniser(dir: &Path) -> Option<Arc<dyn Recogniser>> {
    match PpOcr::load(dir) {
        Ok(reader) => Some(Arc::new(reader)),
        Err(error) => {
            tracing::error!("handwriting cannot be read: {error}");
            None
        }
    }
}

/// Five megabytes that most visits never need.
fn read_later(dir: PathBuf) -> Tables {
    let there = |name: &str| dir.join(name).is_file();
    let (strokes, parts) = (there("strokes.tsv"), there("parts.tsv"));
    let radicals = there("radicals.tsv");
    let load = move || {
        Rare::load(&dir).unwrap_or_else(|error| {
            tracing::error!("characters cannot be found by what they look like: {error}");
            Rare::default()
        })
    };
    Tables { strokes, parts, radicals, load: Box::new(load) }
}

/// Where `make input-data` and `make handwriting-model` leave what they fetch while one is developing.
fn beside_the_programs(folder: &str, file: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let dir = program.parent()?.parent()?.join(folder);
    dir.join(file).is_file().then_some(dir)
}

/// The catalogue's own list, which ends at the county.
fn counties(regions: &Regions) -> String {
    let mut lines = String::new();
    let mut waiting = vec![String::new()];
    while let Some(parent) = waiting.pop() {
        for (code, name) in regions.children(&parent) {
            lines.push_str(&format!("{code}\t{parent}\t{name}\n"));
            waiting.push(code.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use ime::{Key, Purpose};

    fn catalog() -> Catalog {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan");
        Catalog::load(&dir).unwrap()
    }

    fn first(writer: &mut Writer, letters: &str) -> Option<String> {
        writer.serve(Purpose::Place);
        for letter in letters.chars() {
            writer.press(Key::Letter(letter), "");
        }
        writer.press(Key::Choose(0), "")
    }

    #[test]
    fn counties_come_first_without_any_table() {
        let empty = tempfile::tempdir().unwrap();
        let mut writer = writer(&catalog(), "510106", Some(empty.path()), None);
        assert_eq!(first(&mut writer, "jinniuqu").as_deref(), Some("金牛区"));
        assert_eq!(first(&mut writer, "pidu").as_deref(), Some("郫都区"), "before it is spelt out");
        assert!(!writer.can(ime::Way::Strokes) && !writer.can_join());
    }

    #[test]
    fn tables_bring_townships_and_strokes() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("regions.tsv"), "510117006\t510117\t犀浦街道\n").unwrap();
        std::fs::write(dir.path().join("strokes.tsv"), "王\thhsh\n").unwrap();
        let mut writer = writer(&catalog(), "510106", Some(dir.path()), None);
        assert_eq!(first(&mut writer, "xipujiedao").as_deref(), Some("犀浦街道"));
        assert!(writer.can(ime::Way::Strokes));
    }

    #[test]
    fn a_damaged_table_keeps_nobody_from_writing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("regions.tsv"), "x\n").unwrap();
        std::fs::write(dir.path().join("strokes.tsv"), "x\n").unwrap();
        let mut writer = writer(&catalog(), "510106", Some(dir.path()), None);
        assert_eq!(first(&mut writer, "zhongguo").as_deref(), Some("中国"));
    }
}
