//! The gateway's word on which a terminal deletes.

use envelope::{Limits, ReceiptPublic, SignedReceipt, verify};

use crate::edits::apply;
use crate::specimen::FILES;

const GOOD: &[u8] = include_bytes!("../../tests/vectors/receipt.json");
const KEY: &str = include_str!("../../tests/vectors/receipt-public.json");

/// The first byte chooses: a receipt's JSON as it is, or a recipe for changing a good one.
pub fn text(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let json = if how & 0x80 != 0 {
        let mut json = GOOD.to_vec();
        apply(rest, &mut json);
        json
    } else {
        rest.to_vec()
    };
    let Ok(signed) = serde_json::from_slice::<SignedReceipt>(&json) else { return };
    let again = serde_json::to_vec(&signed).expect("a receipt is JSON");
    let again: SignedReceipt = serde_json::from_slice(&again).expect("what we write can be read");
    assert_eq!(again, signed);
    let key = ReceiptPublic::from_json(KEY).expect("the vectors' key");
    let file = verify(FILES[0].0, &Limits::default()).expect("the vector");
    let header = &file.header;
    let believed = key.verify_for(&signed, header.submission_id, file.digest, header.device_id);
    if let Ok(receipt) = believed {
        let good: SignedReceipt = serde_json::from_slice(GOOD).expect("the vector");
        assert_eq!(*receipt, good.receipt);
    }
}
