//! Why: the length of a sealed file would tell how many papers somebody photographed. The archive
//! is therefore filled with zeros to one of few sizes: at least 16 KiB, then eight steps to each
//! doubling, which costs less than an eighth.
//!
//! Refuses: any other size. A file's layout follows from its class alone, so a reader knows every
//! frame's length before it reads the first.

/// The smallest class, in bytes.
pub(crate) const SMALLEST: u64 = 16 * 1024;

/// The class of an archive of so many bytes; nothing when it is beyond all classes.
pub fn size_class(archive_bytes: u64) -> Option<u64> {
    if archive_bytes <= SMALLEST {
        return Some(SMALLEST);
    }
    // For 2^k < n <= 2^(k+1) the steps are an eighth of 2^k.
    let step = 1_u64 << ((archive_bytes - 1).ilog2() - 3);
    archive_bytes.checked_next_multiple_of(step)
}

/// True for a size that [`size_class`] gives.
pub(crate) fn is_class(bytes: u64) -> bool {
    size_class(bytes) == Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sizes() {
        for (bytes, class) in [
            (0, 16_384),
            (16_384, 16_384),
            (16_385, 18_432),
            (18_433, 20_480),
            (32_768, 32_768),
            (32_769, 36_864),
            (65_537, 73_728),
            (10_000_000, 10_485_760),
        ] {
            assert_eq!(size_class(bytes), Some(class), "{bytes}");
        }
        assert_eq!(size_class(u64::MAX), None);
    }

    proptest::proptest! {
        #[test]
        fn a_class_holds_what_it_is_for_at_less_than_an_eighth_more(
            bytes in super::SMALLEST..(1 << 40)
        ) {
            let class = size_class(bytes).unwrap();
            proptest::prop_assert!(class >= bytes);
            proptest::prop_assert!(class - bytes < bytes / 8 + 1);
            proptest::prop_assert!(is_class(class));
            proptest::prop_assert_eq!(class % 512, 0);
        }
    }
}
