use super::*;

#[test]
fn what_was_sealed_is_what_is_opened_in_every_suite() {
    let device = device(1);
    let (manifest, files) = (manifest(&device), attachments());
    for suite in Suite::ALL {
        let office = office_for(suite.kem(), "office-1", 2);
        let mut request = request(&device, office.public(), &manifest, &files);
        request.suite = suite;
        let mut file = Vec::new();
        let info = seal(&request, &mut file).unwrap();
        assert_eq!(info.bytes, file.len() as u64);

        let verified = verify(&*file, &Limits::default()).unwrap();
        assert_eq!((verified.digest, verified.bytes), (info.digest, info.bytes));
        assert_eq!(verified.header.suite, suite);
        assert_eq!(verified.header.device_seq, 7);

        let opened = open(&*file, &office, &Limits::default()).unwrap();
        assert_eq!(opened.header, verified.header);
        assert_eq!(opened.digest, info.digest);
        assert_eq!(opened.manifest, manifest);
        assert_eq!(opened.attachments, files);

        let listed = read_header(&*file, &Limits::default()).unwrap();
        assert_eq!(listed.header, verified.header);
    }
}

#[test]
fn each_sealing_encrypts_anew() {
    let (device, office) = (device(1), office("office-1", 2));
    let (first, second) = (sealed(&device, &office), sealed(&device, &office));
    let at = parts(&first).encapsulated;
    assert_ne!(first[at.clone()], second[at]);
}

#[test]
fn the_file_is_laid_out_as_documented_and_shows_nothing() {
    let (device, office) = (device(1), office("office-1", 2));
    let file = sealed(&device, &office);
    let parts = parts(&file);
    let header: serde_json::Value = serde_json::from_slice(&file[parts.header]).unwrap();
    assert_eq!(header, header_json(&device, "office-1", 16384));
    assert_eq!(parts.frames.len(), 1);
    assert_eq!(parts.frames[0].len(), 4 + 16384 + 16);
    assert_eq!(sha256(&file[..parts.digest]).as_bytes(), &file[parts.digest..][..32]);
    assert_eq!(file.len(), parts.digest + 96);
    for planted in ["样本甲", "11010519491231002X", "13800000000", "specimen picture"] {
        assert!(!file.windows(planted.len()).any(|window| window == planted.as_bytes()));
    }
}

#[test]
fn megabytes_pass_through_in_chunks() {
    let (device, office) = (device(1), office("office-1", 2));
    let (manifest, files) = large(&device, 5_000_000);
    /// Remembers the largest single write: what the sealer holds at once.
    struct Widest(Vec<u8>, usize);
    impl std::io::Write for Widest {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.1 = self.1.max(bytes.len());
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut out = Widest(Vec::new(), 0);
    seal(&request(&device, office.public(), &manifest, &files), &mut out).unwrap();
    assert_eq!(out.1, 8 * (4 + 65536 + 16), "eight frames are written at once");
    assert_eq!(parts(&out.0).frames.len(), 5_242_880 / 65536);
    // A reader that gives few bytes at a time must make no difference.
    struct Trickle<'a>(&'a [u8]);
    impl std::io::Read for Trickle<'_> {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            let n = to.len().min(997);
            std::io::Read::read(&mut self.0, &mut to[..n])
        }
    }
    let opened = open(Trickle(&out.0), &office, &Limits::default()).unwrap();
    assert_eq!(opened.attachments, files);
}

#[test]
fn archives_that_end_on_a_chunk_are_one_frame_less() {
    // 16 KiB classes divide 64 KiB, so full last chunks occur; this one is exactly two chunks.
    let (device, office) = (device(1), office("office-1", 2));
    let (manifest, files) = large(&device, 120_000);
    let mut file = Vec::new();
    seal(&request(&device, office.public(), &manifest, &files), &mut file).unwrap();
    let parts = parts(&file);
    assert_eq!(parts.frames.iter().map(ExactSizeIterator::len).collect::<Vec<_>>(), [65556; 2]);
    assert_eq!(open(&*file, &office, &Limits::default()).unwrap().attachments, files);
}

#[test]
fn empty_files_strokes_and_corrections_are_carried() {
    let (device, office) = (device(1), office("office-1", 2));
    let mut manifest = manifest(&device);
    manifest.kind = Kind::Correction;
    manifest.correction =
        Some(CorrectionOf { case_id: "case-1".into(), answers: vec!["request-1".into()] });
    manifest.materials[0] = MaterialEntry::describe(
        "discharge_certificate",
        1,
        "empty.jpg",
        "image/jpeg",
        b"",
        serde_json::Value::Null,
    );
    manifest.declaration.signature_strokes =
        Some(AttachmentRef::describe("strokes.svg", "image/svg+xml", b"<svg/>"));
    manifest.assisted_by =
        Some(Assistant { relation: "child".into(), identity: manifest.identity.clone() });
    let files = vec![
        Attachment { name: "strokes.svg".into(), bytes: b"<svg/>".to_vec().into() },
        Attachment { name: "empty.jpg".into(), bytes: Vec::new().into() },
    ];
    let mut file = Vec::new();
    seal(&request(&device, office.public(), &manifest, &files), &mut file).unwrap();
    let opened = open(&*file, &office, &Limits::default()).unwrap();
    assert_eq!(opened.manifest, manifest);
    assert_eq!(opened.attachments, files);
}

#[test]
fn a_full_disk_is_an_error_and_not_a_panic() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0 < bytes.len() {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (device, office) = (device(1), office("office-1", 2));
    let (manifest, files) = (manifest(&device), attachments());
    let request = request(&device, office.public(), &manifest, &files);
    let needed = sealed(&device, &office).len();
    for space in [0, 9, 500, 10_000, needed - 100, needed - 1] {
        let error = seal(&request, Full(space)).unwrap_err();
        assert_eq!(error.code(), "write_failed");
    }
}
