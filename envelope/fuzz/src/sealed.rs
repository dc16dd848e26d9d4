//! A sealed file on its way: damaged, cut, put together anew, or signed again by its own terminal.

use std::convert::Infallible;
use std::io::Cursor;

use envelope::{
    Attachment, Inspected, Limits, Manifest, OpenIntoError, Opened, RecipientSecret, Refusal, Sink,
    inspect, open, open_into, verify,
};

use crate::edits::{Trickle, apply};
use crate::forge::sign;
use crate::specimen::{FILES, device, secret};

/// The first byte chooses file and way; the rest is a file, or a recipe for changing one.
pub fn file(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let (good, text) = FILES[usize::from(how & 3) % FILES.len()];
    let secret = secret(text);
    if how & 0x40 != 0 {
        let _ = agree(rest, &secret, usize::from(how >> 2 & 7) * 97);
        return;
    }
    let signed_again = how & 0x80 != 0;
    let body = &good[..good.len() - 96];
    let mut changed = if signed_again { body.to_vec() } else { good.to_vec() };
    apply(rest, &mut changed);
    let untouched = changed == if signed_again { body } else { good };
    let file = if signed_again { sign(&changed, &device()) } else { changed };
    let opened = agree(&file, &secret, usize::from(how >> 2 & 7) * 97);
    // Only what the terminal sealed can be opened, whoever signs.
    assert_eq!(opened.is_ok(), untouched, "{:?}", opened.err());
}

/// All ways of reading a file come to the same result.
pub fn agree(file: &[u8], secret: &RecipientSecret, piece: usize) -> Result<Opened, Refusal> {
    let limits = Limits::default();
    let verified = verify(file, &limits);
    let opened = open(file, secret, &limits);
    match (&verified, &opened) {
        (Ok(verified), Ok(opened)) => {
            assert_eq!((&verified.header, verified.digest), (&opened.header, opened.digest));
            assert_eq!(verified.bytes, file.len() as u64);
            assert_eq!(opened.bytes, file.len() as u64);
        }
        (Err(refusal), Err(also)) => assert_eq!(refusal, also),
        (Ok(_), Err(_)) => {}
        (Err(refusal), Ok(_)) => panic!("opened although {refusal}"),
    }
    assert_eq!(verify(Trickle(file, piece), &limits), verified);
    let refusal = opened.as_ref().err();
    assert_eq!(inspect(Trickle(file, piece), secret, &limits).err().as_ref(), refusal);

    let mut shelf = Shelf::default();
    match (open_into(&mut Cursor::new(file), secret, &limits, &mut shelf), &opened) {
        (Ok(_), Ok(opened)) => {
            assert_eq!(shelf.manifest.as_ref(), Some(&opened.manifest));
            assert_eq!(shelf.files, opened.attachments);
        }
        (Err(OpenIntoError::Refused(refusal)), Err(also)) => {
            assert_eq!(&refusal, also);
            assert!(shelf.manifest.is_none() && shelf.files.is_empty(), "handed out too early");
        }
        (streamed, _) => panic!("opened in one way only: {streamed:?}"),
    }
    if let Err(refusal) = &opened {
        assert!(!refusal.code().is_empty() && !refusal.cure().is_empty());
    }
    opened
}

/// Keeps what it is given.
#[derive(Default)]
struct Shelf {
    manifest: Option<Manifest>,
    files: Vec<Attachment>,
}

impl Sink for Shelf {
    type Error = Infallible;

    fn manifest(&mut self, inspected: &Inspected) -> Result<(), Infallible> {
        self.manifest = Some(inspected.manifest.clone());
        Ok(())
    }

    fn file(&mut self, name: &str, _: u64) -> Result<(), Infallible> {
        self.files.push(Attachment { name: name.to_owned(), bytes: Vec::new().into() });
        Ok(())
    }

    fn part(&mut self, part: &[u8]) -> Result<(), Infallible> {
        let file = self.files.last_mut().expect("a part of some file");
        file.bytes.expose_mut().extend_from_slice(part);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
