//! Sealing what lies in memory, what was measured before, and what is read meanwhile.

use std::io::Read;

use super::*;
use crate::seal::seal_with;

const NAME: &str = "page.jpg";

/// Sealed with fixed randomness, so that equal submissions give equal files.
fn sealed_as(content: Content<'_>, size: usize) -> Result<Vec<u8>, SealError> {
    let (device, office) = (device(1), office("office-1", 2));
    let (manifest, _) = large(&device, size);
    let mut out = Vec::new();
    let request = request(&device, office.public(), &manifest, &[]);
    let mut files = [Source { name: NAME, content }];
    seal_with(&request, &mut files, Entropy::fixed(&[3; 32]), &mut out)?;
    Ok(out)
}

/// Gives few bytes at a time, and then, if told to, fails.
struct Slow<'a>(&'a [u8], Option<std::io::ErrorKind>);

impl Read for Slow<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self.1 {
            Some(kind) if self.0.is_empty() => Err(kind.into()),
            _ => {
                let length = to.len().min(4093);
                self.0.read(&mut to[..length])
            }
        }
    }
}

/// From one chunk to several batches, where a thread hashes.
#[test]
fn wherever_it_lies_the_file_is_the_same() {
    for size in [0, 1, 511, 65_536, 300_000, 1_200_000, 3_000_000] {
        let (_, files) = large(&device(1), size);
        let bytes = files[0].bytes.expose().clone();
        let plain = {
            let (device, office) = (device(1), office("office-1", 2));
            let (manifest, files) = large(&device, size);
            let mut out = Vec::new();
            let request = request(&device, office.public(), &manifest, &files);
            seal_with(&request, &mut [], Entropy::fixed(&[3; 32]), &mut out).unwrap();
            out
        };
        assert_eq!(
            open(&*plain, &office("office-1", 2), &Limits::default()).unwrap().attachments,
            files
        );
        assert!(sealed_as(Content::Bytes(&bytes), size).unwrap() == plain, "{size}");
        let measured = Measured::new(bytes.clone().into());
        assert!(sealed_as(Content::Measured(&measured), size).unwrap() == plain, "{size}");
        let from = Box::new(Slow(&bytes, None));
        let content = Content::Reader { bytes: size as u64, from };
        assert!(sealed_as(content, size).unwrap() == plain, "{size}");
    }
}

#[test]
fn files_of_the_request_and_further_ones_are_sealed_together() {
    let (device, office) = (device(1), office("office-1", 2));
    let mut manifest = manifest(&device);
    let strokes = Measured::new(b"<svg/>".to_vec().into());
    manifest.declaration.signature_strokes =
        Some(AttachmentRef::of("strokes.svg", "image/svg+xml", &strokes));
    let files = attachments();
    let mut more = [Source { name: "strokes.svg", content: Content::Measured(&strokes) }];
    let mut out = Vec::new();
    seal_from(&request(&device, office.public(), &manifest, &files), &mut more, &mut out).unwrap();
    let opened = open(&*out, &office, &Limits::default()).unwrap();
    assert_eq!(opened.attachments.len(), 2);
    assert_eq!(opened.attachments[1].bytes.expose(), strokes.expose());
}

#[test]
fn content_that_is_not_the_promised_one_never_gets_a_signature() {
    for size in [5_000_usize, 2_000_000] {
        let (_, files) = large(&device(1), size);
        let right = files[0].bytes.expose().clone();
        let mut other = right.clone();
        other[size / 2] ^= 1;
        let code = |content: Content<'_>| sealed_as(content, size).unwrap_err().code();
        assert_eq!(code(Content::Bytes(&other)), "manifest_disagrees");
        assert_eq!(
            code(Content::Measured(&Measured::new(other.clone().into()))),
            "manifest_disagrees"
        );
        let read = |bytes: &[u8], stated: usize, fails| {
            let from = Box::new(Slow(bytes, fails));
            let content = Content::Reader { bytes: stated as u64, from };
            sealed_as(content, size).unwrap_err().code()
        };
        assert_eq!(read(&other, size, None), "manifest_disagrees");
        assert_eq!(read(&right, size - 1, None), "manifest_disagrees");
        assert_eq!(read(&right[..size - 1], size, None), "attachment_unreadable");
        assert_eq!(read(&[&right[..], b"x"].concat(), size, None), "attachment_unreadable");
        let broken = Some(std::io::ErrorKind::PermissionDenied);
        assert_eq!(read(&right[..size / 2], size, broken), "attachment_unreadable");
    }
}

/// What was written before such an error is no file that anybody would take.
#[test]
fn what_is_left_of_a_failed_sealing_is_refused() {
    let (device, office) = (device(1), office("office-1", 2));
    let (manifest, files) = large(&device, 100_000);
    let mut other = files[0].bytes.expose().clone();
    other[0] ^= 1;
    let mut files = [Source { name: NAME, content: Content::Bytes(&other) }];
    let mut out = Vec::new();
    let request = request(&device, office.public(), &manifest, &[]);
    assert!(seal_from(&request, &mut files, &mut out).is_err());
    assert!(!out.is_empty());
    assert_eq!(verify(&*out, &Limits::default()).unwrap_err().code(), "truncated");
}

#[test]
fn debug_of_a_source_shows_its_size_alone() {
    let shown = format!("{:?}", Source { name: NAME, content: Content::Bytes(b"specimen") });
    assert!(shown.contains('8') && !shown.contains("specimen"), "{shown}");
    let measured = Measured::new(b"specimen".to_vec().into());
    assert!(!format!("{measured:?}").contains("specimen"));
}
