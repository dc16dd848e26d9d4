//! Archives as a hostile or broken terminal could seal them: properly encrypted and signed.

use super::*;
use crate::archive::entry_header;
use crate::unpack::{Entries, Unpacker};

/// An archive written by hand: entries, then two blocks of zeros.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn plain(mut self, name: &str, content: &[u8]) -> Self {
        let header = entry_header(name, content.len() as u64).unwrap();
        self.0.extend_from_slice(header.as_bytes());
        self.content(content)
    }

    fn content(mut self, content: &[u8]) -> Self {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// An entry whose header was tampered with before its checksum was computed.
    fn bent(mut self, content: &[u8], bend: impl FnOnce(&mut tar::Header)) -> Self {
        let mut header = entry_header("page.jpg", content.len() as u64).unwrap();
        bend(&mut header);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.content(content)
    }

    /// Puts a raw name into the header: the `tar` crate itself refuses the worst ones.
    fn named(self, name: &[u8]) -> Self {
        self.bent(b"x", |header| {
            let field = &mut header.as_mut_bytes()[..100];
            field.fill(0);
            field[..name.len()].copy_from_slice(name);
        })
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn manifest_json() -> Vec<u8> {
    serde_json::to_vec(&manifest(&device(1))).unwrap()
}

fn with_manifest() -> Tar {
    Tar::default().plain("manifest.json", &manifest_json())
}

/// Seals any archive with the padding of its class.
fn sealed_archive(mut archive: Vec<u8>) -> Vec<u8> {
    let class = size_class(archive.len() as u64).unwrap();
    archive.resize(class as usize, 0);
    sealed_exactly(&archive)
}

fn sealed_exactly(plain: &[u8]) -> Vec<u8> {
    let (device, office) = (device(1), office("office-1", 2));
    let header = header_json(&device, "office-1", plain.len() as u64);
    forge(&device, office.public(), &header, plain)
}

fn problem(archive: Vec<u8>) -> TarProblem {
    match refused(&sealed_archive(archive), &office("office-1", 2)) {
        Refusal::TarUnsafe { problem } => problem,
        other => panic!("refused for another reason: {other}"),
    }
}

#[test]
fn the_second_writer_is_right_when_it_does_right() {
    let archive = with_manifest().plain("discharge_certificate-1.jpg", PICTURE).end();
    let opened =
        open(&*sealed_archive(archive), &office("office-1", 2), &Limits::default()).unwrap();
    assert_eq!(opened.attachments, attachments());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let names: [&[u8]; 12] = [
        b"../page.jpg",
        b"..",
        b".",
        b".hidden",
        b"/etc/passwd",
        b"a/b",
        b"a\\b",
        b"C:page",
        b"page.jpg\n",
        "样本.jpg".as_bytes(),
        b"\xff\xfe",
        b"",
    ];
    for name in names {
        assert_eq!(problem(with_manifest().named(name).end()), TarProblem::Name, "{name:?}");
    }
    assert_eq!(problem(with_manifest().named(&[b'a'; 81]).end()), TarProblem::Name);
    // A prefix field makes a path out of a plain name.
    let prefixed = with_manifest().bent(b"x", |header| {
        header.as_mut_bytes()[345..348].copy_from_slice(b"etc");
    });
    assert_eq!(problem(prefixed.end()), TarProblem::Name);
}

#[test]
fn only_plain_files_are_read() {
    use tar::EntryType::*;
    for kind in [
        Link,
        Symlink,
        Char,
        Block,
        Directory,
        Fifo,
        Continuous,
        GNULongName,
        GNULongLink,
        GNUSparse,
        XGlobalHeader,
        XHeader,
    ] {
        let archive = with_manifest().bent(b"", |header| {
            header.set_entry_type(kind);
            let _ = header.set_link_name("target");
        });
        assert_eq!(problem(archive.end()), TarProblem::NotAFile, "{kind:?}");
    }
}

#[test]
fn nothing_can_be_hidden_in_a_header_or_between_entries() {
    type Bend = fn(&mut tar::Header);
    let bends: [Bend; 6] = [
        |header| header.set_mode(0o4755),
        |header| header.set_uid(1000),
        |header| header.set_mtime(1),
        |header| header.set_username("root").unwrap(),
        |header| header.as_mut_bytes()[500] = 1,
        |header| header.as_mut_bytes()[50] = b'x',
    ];
    for bend in bends {
        assert_eq!(problem(with_manifest().bent(b"x", bend).end()), TarProblem::NotCanonical);
    }
    let mut archive = with_manifest().plain("page.jpg", b"x").end();
    let at = archive.len() - 1024 - 100;
    archive[at] = 1;
    assert_eq!(problem(archive), TarProblem::NotCanonical);
}

#[test]
fn damaged_headers_doubles_and_overruns_are_refused() {
    let mut damaged = with_manifest().plain("page.jpg", b"x").end();
    let at = damaged.len() - 2048;
    damaged[at] = b'q';
    assert_eq!(problem(damaged), TarProblem::DamagedHeader);

    let old = with_manifest().bent(b"x", |header| header.as_mut_bytes()[257..265].fill(0));
    assert_eq!(problem(old.end()), TarProblem::DamagedHeader);

    let doubled = with_manifest().plain("a.jpg", b"1").plain("a.jpg", b"2").end();
    assert_eq!(problem(doubled), TarProblem::DoubledName);
    let manifest_again = with_manifest().plain("manifest.json", b"{}").end();
    assert_eq!(problem(manifest_again), TarProblem::DoubledName);

    let overrun = with_manifest().bent(b"x", |header| header.set_size(60_000_000)).end();
    assert_eq!(problem(overrun), TarProblem::Overrun);

    let late = Tar::default().plain("page.jpg", b"x").plain("manifest.json", b"{}").end();
    assert_eq!(problem(late), TarProblem::ManifestNotFirst);
    assert_eq!(problem(Tar::default().end()), TarProblem::ManifestNotFirst);

    // Full to the last byte, so that there is no room for an end.
    let rest = 16384 - with_manifest().0.len() - 512;
    let endless = with_manifest().plain("page.jpg", &vec![1; rest]).0;
    assert_eq!(endless.len(), 16384);
    assert_eq!(problem(endless), TarProblem::NoEnd);
}

#[test]
fn bombs_are_refused_by_their_stated_size() {
    let office = office("office-1", 2);
    let bomb = with_manifest().bent(b"x", |header| header.set_size(1 << 40)).end();
    assert_eq!(refused(&sealed_archive(bomb), &office).code(), "too_large");
    let many = (0..=200).fold(with_manifest(), |tar, n| tar.plain(&format!("{n}.jpg"), b"")).end();
    assert_eq!(refused(&sealed_archive(many), &office).code(), "too_large");
}

#[test]
fn padding_holds_nothing_and_has_the_length_of_its_class() {
    let office = office("office-1", 2);
    let archive = || with_manifest().plain("discharge_certificate-1.jpg", PICTURE).end();
    for at in [archive().len() - 500, archive().len(), 16383] {
        let mut plain = archive();
        plain.resize(16384, 0);
        plain[at] = 1;
        assert_eq!(refused(&sealed_exactly(&plain), &office), Refusal::PaddingNotZero);
    }
    let mut plain = archive();
    plain.resize(20480, 0);
    assert_eq!(refused(&sealed_exactly(&plain), &office), Refusal::PaddingLength);
}

#[test]
fn the_manifest_must_agree_with_header_and_files() {
    let office = office("office-1", 2);
    let disagreement = |change: &dyn Fn(&mut Manifest), files: &[(&str, &[u8])]| {
        let mut manifest = manifest(&device(1));
        change(&mut manifest);
        let json = serde_json::to_vec(&manifest).unwrap();
        let mut tar = Tar::default().plain("manifest.json", &json);
        for (name, content) in files {
            tar = tar.plain(name, content);
        }
        match refused(&sealed_archive(tar.end()), &office) {
            Refusal::ManifestDisagrees { what } => what,
            other => panic!("refused for another reason: {other}"),
        }
    };
    const NAME: &str = "discharge_certificate-1.jpg";
    let right: &[(&str, &[u8])] = &[(NAME, PICTURE)];
    let as_it_is: &dyn Fn(&mut Manifest) = &|_| {};
    let mut told = std::collections::BTreeSet::new();
    told.insert(disagreement(&|manifest| manifest.submission_id = OTHER_SUBMISSION, right));
    told.insert(disagreement(&|manifest| manifest.device_id = device(3).device_id(), right));
    told.insert(disagreement(
        &|manifest| manifest.created_at = "2026-11-23T02:30:16Z".parse().unwrap(),
        right,
    ));
    told.insert(disagreement(as_it_is, &[]));
    told.insert(disagreement(as_it_is, &[(NAME, PICTURE), ("more.jpg", b"x")]));
    told.insert(disagreement(as_it_is, &[(NAME, b"short")]));
    let mut swapped = PICTURE.to_vec();
    swapped[0] ^= 1;
    told.insert(disagreement(as_it_is, &[(NAME, &swapped)]));
    assert_eq!(told.len(), 7, "each disagreement has its own words: {told:?}");
}

#[test]
fn a_manifest_that_is_none_is_refused_without_being_quoted() {
    let office = office("office-1", 2);
    let later = String::from_utf8(manifest_json())
        .unwrap()
        .replace("\"schema_version\":1", "\"schema_version\":2");
    let extra = String::from_utf8(manifest_json()).unwrap().replacen('{', "{\"more\":1,", 1);
    let twice =
        String::from_utf8(manifest_json()).unwrap().replacen('{', "{\"receipt_number\":\"x\",", 1);
    let typed = String::from_utf8(manifest_json()).unwrap().replace("\"2026-", "\"样本甲-");
    for text in ["", "[]", "{}", "\u{feff}{}", &extra, &twice, &typed, &"[".repeat(10_000)] {
        let archive = Tar::default().plain("manifest.json", text.as_bytes()).end();
        let refusal = refused(&sealed_archive(archive), &office);
        assert_eq!(refusal.code(), "manifest_invalid");
        assert!(!format!("{refusal} {refusal:?}").contains("样本"), "{refusal}");
    }
    let archive = Tar::default().plain("manifest.json", later.as_bytes()).end();
    assert_eq!(
        refused(&sealed_archive(archive), &office),
        Refusal::ManifestInvalid { problem: ManifestProblem::SchemaVersion(2) }
    );
}

/// What an archive is told to hold: each entry's name, stated size and content.
#[derive(Debug, Default, PartialEq)]
struct Told(Vec<(String, u64, Vec<u8>)>, usize);

impl Entries for Told {
    fn entry(&mut self, name: &str, bytes: u64) {
        assert_eq!(self.0.len(), self.1, "an entry begins before the last one ended");
        self.0.push((name.to_owned(), bytes, Vec::new()));
    }

    fn content(&mut self, piece: &[u8]) {
        assert_eq!(self.0.len(), self.1 + 1, "content of no entry");
        self.0.last_mut().unwrap().2.extend_from_slice(piece);
    }

    fn end(&mut self) {
        self.1 += 1;
        let (_, stated, content) = self.0.last().unwrap();
        assert_eq!((*stated, self.0.len()), (content.len() as u64, self.1));
    }
}

fn unpack(bytes: &[u8], piece: usize) -> (Result<u64, Refusal>, Told) {
    let mut unpacker = Unpacker::new(bytes.len() as u64, &Limits::default());
    let mut told = Told::default();
    let pushed: Result<(), Refusal> =
        bytes.chunks(piece).try_for_each(|piece| unpacker.push(piece, &mut told));
    (pushed.and_then(|()| unpacker.finish()), told)
}

proptest::proptest! {
    #[test]
    fn arbitrary_archives_never_panic(bytes in proptest::collection::vec(0_u8.., 0..4096)) {
        let _ = unpack(&bytes, 4096);
    }

    #[test]
    fn a_damaged_archive_never_panics_and_its_pieces_make_no_difference(
        at in 0_usize..5000, value in 0_u8.., piece in 1_usize..1500
    ) {
        let mut archive =
            with_manifest().plain("page.jpg", PICTURE).plain("b.jpg", b"").end();
        let at = at % archive.len();
        archive[at] = value;
        let (whole, told) = unpack(&archive, archive.len());
        if let Ok(length) = whole {
            proptest::prop_assert!(length as usize <= archive.len());
            proptest::prop_assert_eq!(told.0.len(), told.1);
        }
        let (in_pieces, also) = unpack(&archive, piece);
        proptest::prop_assert_eq!(&whole, &in_pieces);
        // After a fault it may have been told more or less of what lies before it.
        if whole.is_ok() {
            proptest::prop_assert_eq!(told, also);
        }
    }
}
