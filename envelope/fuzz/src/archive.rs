//! What is inside, as a hostile terminal could seal it: any archive, any manifest, properly
//! encrypted and signed.

use envelope::{Limits, SealRequest, Suite, open, seal, size_class};

use crate::edits::apply;
use crate::forge;
use crate::sealed::agree;
use crate::specimen::{FILES, MANIFEST, PICTURE, PICTURE_NAME, device, secret};

/// The first byte chooses: plaintext as it is, or a recipe for changing a good archive, or one for
/// changing the manifest in it. The second says whether the padding fits.
pub fn plain(data: &[u8]) {
    let Some((&[how, padding], rest)) = data.split_first_chunk() else { return };
    let (_, text) = FILES[0];
    let (secret, device) = (secret(text), device());
    let mut plain = match how % 3 {
        0 => rest.to_vec(),
        1 => {
            let mut archive = archive(MANIFEST);
            apply(rest, &mut archive);
            archive
        }
        _ => {
            let mut manifest = MANIFEST.to_vec();
            apply(rest, &mut manifest);
            archive(&manifest)
        }
    };
    let class = match padding {
        0..=239 => size_class(plain.len() as u64),
        _ => size_class(plain.len() as u64 + 2048 * u64::from(padding - 239)),
    };
    let Some(class) = class.filter(|class| *class <= 1 << 20) else { return };
    plain.resize(class as usize, if padding == 239 { 1 } else { 0 });
    let header = serde_json::json!({
        "suite": {"kem": 32, "kdf": 1, "aead": 3},
        "signature": "ed25519-sha256",
        "recipient_key_id": "vector-office",
        "submission_id": "019ab0c1-2d3e-7f40-8a1b-2c3d4e5f6071",
        "device_id": device.device_id(),
        "device_public_key": hex::encode(device.public_key()),
        "device_seq": 7,
        "created_at": "2026-11-23T02:30:15Z",
        "size_class": class,
    });
    let file = forge::seal(&header.to_string(), &plain, secret.public(), &device);
    let Ok(opened) = agree(&file, &secret, usize::from(how) * 31) else { return };

    for (at, file) in opened.attachments.iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        assert!(file.name.bytes().all(plain) && !file.name.starts_with('.'), "{:?}", file.name);
        assert!(opened.attachments[..at].iter().all(|other| other.name != file.name));
    }
    // Whatever is accepted could have been sealed, and comes back the same.
    let request = SealRequest {
        submission_id: opened.header.submission_id,
        device: &device,
        device_seq: opened.header.device_seq,
        created_at: opened.header.created_at,
        recipient: secret.public(),
        suite: Suite::X25519ChaCha20,
        manifest: &opened.manifest,
        attachments: &opened.attachments,
    };
    let mut again = Vec::new();
    seal(&request, &mut again).expect("what was opened can be sealed");
    let again = open(&*again, &secret, &Limits::default()).expect("and opened");
    assert_eq!(again.manifest, opened.manifest);
    assert_eq!(again.attachments, opened.attachments);
}

/// A good archive, written by hand: the reader under test must not be its own judge.
fn archive(manifest: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in [("manifest.json", manifest), (PICTURE_NAME, PICTURE)] {
        let mut header = [0_u8; 512];
        let mut put = |at: usize, text: &str| {
            header[at..at + text.len()].copy_from_slice(text.as_bytes());
        };
        put(0, name);
        put(100, "0000600\0");
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", content.len()));
        put(136, "00000000000\0");
        put(148, "        ");
        put(156, "0");
        put(257, "ustar\u{0}00");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// A good archive must be one, or nothing of the above is worth anything.
#[cfg(test)]
#[test]
fn the_good_archive_opens() {
    let (_, text) = FILES[0];
    let mut plain = archive(MANIFEST);
    plain.resize(16384, 0);
    let good = open(FILES[0].0, &secret(text), &Limits::default()).expect("the vector opens");
    let header = serde_json::to_string(&good.header).expect("JSON");
    let file = forge::seal(&header, &plain, secret(text).public(), &device());
    let opened = open(&*file, &secret(text), &Limits::default()).expect("the forged one too");
    assert_eq!(opened.attachments, good.attachments);
}
