//! The header: the first thing anybody reads of a stranger's file.

use envelope::{Limits, Refusal, read_header, verify};

use crate::edits::apply;
use crate::specimen::FILES;

/// The first byte chooses: a header's JSON as it is, or a recipe for changing a good one.
pub fn text(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let (good, _) = FILES[usize::from(how & 3) % FILES.len()];
    let length = u32::from_be_bytes([good[10], good[11], good[12], good[13]]) as usize;
    let json = if how & 0x80 != 0 {
        let mut json = good[14..14 + length].to_vec();
        apply(rest, &mut json);
        json
    } else {
        rest.to_vec()
    };
    let mut file = good[..10].to_vec();
    file.extend_from_slice(&(json.len() as u32).to_be_bytes());
    file.extend_from_slice(&json);
    let limits = Limits::default();
    match read_header(&*file, &limits) {
        Ok(read) => {
            assert_eq!(read.as_sent, json);
            assert!(read.header.size_class <= limits.max_bytes);
            // What was read and is written anew says the same.
            let again = serde_json::to_vec(&read.header).expect("a header is JSON");
            let mut file = good[..10].to_vec();
            file.extend_from_slice(&(again.len() as u32).to_be_bytes());
            file.extend_from_slice(&again);
            let also = read_header(&*file, &limits).expect("what we write can be read");
            assert_eq!(also.header, read.header);
            assert!(matches!(verify(&*file, &limits), Err(Refusal::Truncated { .. })));
        }
        Err(refusal) => {
            assert_eq!(verify(&*file, &limits).err().as_ref(), Some(&refusal));
            assert!(!matches!(refusal, Refusal::Truncated { .. }), "nothing was missing");
        }
    }
}
