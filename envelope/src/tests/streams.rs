//! Opening with memory for one frame: the same content, the same refusals, and nothing handed out
//! that was not checked.

use std::io::{Cursor, Read, Seek, SeekFrom};

use super::*;

/// Remembers what it is given, and fails on demand.
#[derive(Default)]
struct Shelf {
    manifest: Option<Manifest>,
    files: Vec<Attachment>,
    open: bool,
    largest_part: usize,
    parts: usize,
    fails_at: Option<usize>,
}

#[derive(Debug, PartialEq)]
struct NoMore;

impl Sink for Shelf {
    type Error = NoMore;

    fn manifest(&mut self, inspected: &Inspected) -> Result<(), NoMore> {
        assert!(self.manifest.is_none() && self.files.is_empty());
        self.manifest = Some(inspected.manifest.clone());
        Ok(())
    }

    fn file(&mut self, name: &str, bytes: u64) -> Result<(), NoMore> {
        assert!(self.manifest.is_some() && !self.open);
        self.open = true;
        let content = Vec::with_capacity(bytes as usize);
        self.files.push(Attachment { name: name.to_owned(), bytes: content.into() });
        Ok(())
    }

    fn part(&mut self, part: &[u8]) -> Result<(), NoMore> {
        assert!(self.open);
        self.parts += 1;
        self.largest_part = self.largest_part.max(part.len());
        self.files.last_mut().unwrap().bytes.expose_mut().extend_from_slice(part);
        if self.fails_at == Some(self.parts) { Err(NoMore) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), NoMore> {
        self.open = false;
        Ok(())
    }
}

fn several(device: &DeviceKey) -> (Manifest, Vec<Attachment>) {
    let (mut manifest, mut files) = large(device, 300_000);
    for (page, size) in [(2, 0_usize), (3, 70_000), (4, 511)] {
        let name = format!("page-{page}.jpg");
        let content = vec![page as u8; size];
        manifest.materials.push(MaterialEntry::describe(
            "discharge_certificate",
            page,
            &name,
            "image/jpeg",
            &content,
            json!({}),
        ));
        files.push(Attachment { name, bytes: content.into() });
    }
    (manifest, files)
}

fn sealed_several(device: &DeviceKey, office: &RecipientSecret) -> (Vec<u8>, Vec<Attachment>) {
    let (manifest, files) = several(device);
    let mut file = Vec::new();
    seal(&request(device, office.public(), &manifest, &files), &mut file).unwrap();
    (file, files)
}

#[test]
fn every_suite_is_opened_part_by_part_as_it_is_opened_whole() {
    let device = device(1);
    for kem in Kem::ALL {
        let office = office_for(kem, "office-1", 2);
        let (file, files) = sealed_several(&device, &office);
        let mut shelf = Shelf::default();
        let inspected =
            open_into(&mut Cursor::new(&file), &office, &Limits::default(), &mut shelf).unwrap();
        let opened = open(&*file, &office, &Limits::default()).unwrap();
        assert_eq!(inspected.header, opened.header);
        assert_eq!((inspected.digest, inspected.bytes), (opened.digest, opened.bytes));
        assert_eq!(shelf.manifest.as_ref(), Some(&opened.manifest));
        assert_eq!((&shelf.files, &opened.attachments), (&files, &files));
        assert!(!shelf.open && shelf.largest_part <= 65536);
        let alone = inspect(&*file, &office, &Limits::default()).unwrap();
        assert_eq!(alone.manifest, opened.manifest);
    }
}

#[test]
fn it_begins_at_the_beginning_wherever_the_reader_stands() {
    let (device, office) = (device(1), office("office-1", 2));
    let (file, files) = sealed_several(&device, &office);
    let mut from = Cursor::new(&file);
    from.seek(SeekFrom::End(0)).unwrap();
    let mut shelf = Shelf::default();
    open_into(&mut from, &office, &Limits::default(), &mut shelf).unwrap();
    assert_eq!(shelf.files, files);
}

/// Whatever is wrong anywhere in a file, the sink is given nothing at all.
#[test]
fn nothing_is_handed_out_of_a_file_that_is_refused() {
    let (device, office) = (device(1), office("office-1", 2));
    let (file, _) = sealed_several(&device, &office);
    let last = parts(&file).frames.last().unwrap().clone();
    let untouched = |file: &[u8], office: &RecipientSecret| {
        let mut shelf = Shelf::default();
        let error = open_into(&mut Cursor::new(file), office, &Limits::default(), &mut shelf);
        assert!(shelf.manifest.is_none() && shelf.files.is_empty());
        let OpenIntoError::Refused(refusal) = error.unwrap_err() else { panic!("not the sink") };
        assert_eq!(refusal, refused(file, office));
        refusal.code()
    };
    let mut damaged = file.clone();
    damaged[last.end - 100] ^= 1;
    assert_eq!(untouched(&damaged, &office), "digest_mismatch");
    let body = &damaged[..parts(&damaged).digest];
    assert_eq!(untouched(&sign_again(body, &device), &office), "decrypt");
    let mut unsigned = file.clone();
    *unsigned.last_mut().unwrap() ^= 1;
    assert_eq!(untouched(&unsigned, &office), "signature_invalid");
    assert_eq!(untouched(&file[..file.len() - 1], &office), "truncated");
    assert_eq!(untouched(&file, &super::office("office-2", 3)), "wrong_recipient");
}

/// A file that is another one whenever it is read from the beginning again.
struct Exchanged<'a> {
    versions: [&'a [u8]; 2],
    rewound: usize,
    now: Cursor<&'a [u8]>,
}

impl<'a> Exchanged<'a> {
    fn new(versions: [&'a [u8]; 2]) -> Self {
        Self { versions, rewound: 0, now: Cursor::new(versions[0]) }
    }
}

impl Read for Exchanged<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.now.read(to)
    }
}

impl Seek for Exchanged<'_> {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        self.now = Cursor::new(self.versions[self.rewound.min(1)]);
        self.rewound += 1;
        Ok(0)
    }
}

/// Anybody can encrypt to the office, so being decryptable proves nothing: each frame that is handed
/// out must be the very one whose signature was checked.
#[test]
fn a_file_exchanged_between_check_and_use_is_noticed_before_anything_of_it_is_used() {
    let (device, office) = (device(1), office("office-1", 2));
    let (file, files) = sealed_several(&device, &office);
    let (another, _) = sealed_several(&device, &office);
    let frames = parts(&file).frames;
    let mut late = file.clone();
    late[frames.last().unwrap().end - 50] ^= 1;
    let cut = &file[..frames[2].start + 10];
    let mut header = file.clone();
    header[20] ^= 1;
    for (second, most) in [(&another[..], 0), (&late, 4), (cut, 1), (&header, 0), (b"", 0)] {
        let mut shelf = Shelf::default();
        let mut from = Exchanged::new([&file, second]);
        let error = open_into(&mut from, &office, &Limits::default(), &mut shelf).unwrap_err();
        assert!(matches!(error, OpenIntoError::Refused(Refusal::Changed)), "{error:?}");
        assert!(shelf.files.len() <= most, "{} files of it were handed out", shelf.files.len());
        for (given, real) in shelf.files.iter().zip(&files) {
            assert!(real.bytes.expose().starts_with(given.bytes.expose()));
        }
    }
}

#[test]
fn a_sink_that_fails_ends_it_with_its_own_error() {
    let (device, office) = (device(1), office("office-1", 2));
    let (file, _) = sealed_several(&device, &office);
    let mut shelf = Shelf { fails_at: Some(3), ..Shelf::default() };
    let error = open_into(&mut Cursor::new(&file), &office, &Limits::default(), &mut shelf);
    assert!(matches!(error.unwrap_err(), OpenIntoError::Sink(NoMore)));
    assert_eq!(shelf.parts, 3, "a sink that failed is left alone");
}
