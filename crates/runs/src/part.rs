//! A part of a run: the records of consecutive samples as one parquet file.

mod read;
mod write;

pub(crate) use read::read_part;
pub(crate) use write::write_part;

/// The key in the footer that holds the length and the hash of all bytes before the footer.
const CHECKSUM: &str = "hard_imagenet.sha256";

#[cfg(test)]
mod tests {
    use super::{read_part, write_part};
    use crate::columns::{Cells, columns};
    use hard_imagenet_files::sha256_hex;
    use hard_imagenet_metrics::{MapScores, Record};
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    /// A record with a random value in every column of the table.
    fn record() -> impl Strategy<Value = Record> {
        let cell = (
            (".{0,12}", option::of(".{0,20}")),
            (any::<u32>(), option::of(any::<u32>())),
            (option::of(any::<bool>()), option::of(-1e6f32..1e6)),
        );
        vec(cell, columns().count()).prop_map(|cells| {
            let mut record = Record::default();
            for (column, ((text, some_text), (integer, some_integer), (flag, float))) in columns().zip(cells) {
                match column.cells {
                    Cells::Text(_, set) => set(&mut record, text),
                    Cells::Integer(_, set) => set(&mut record, integer),
                    Cells::OptionalText(_, set) => set(&mut record, some_text),
                    Cells::OptionalInteger(_, set) => set(&mut record, some_integer),
                    Cells::OptionalFlag(_, set) => set(&mut record, flag),
                    Cells::OptionalFloat(_, set) => set(&mut record, float),
                    Cells::MapScore(_) => record.map.set(column.name, float),
                }
            }
            record
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn records_survive_the_round_trip(records in vec(record(), 0..40)) {
            let bytes = write_part(&records).unwrap();
            prop_assert_eq!(read_part(bytes).unwrap(), records);
        }

        #[test]
        fn a_changed_byte_is_detected(records in vec(record(), 1..10), at in any::<prop::sample::Index>()) {
            let mut bytes = write_part(&records).unwrap();
            // The footer's length stands in the last eight bytes, before the closing magic.
            let tail: [u8; 4] = bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap();
            let data = bytes.len() - 8 - u32::from_le_bytes(tail) as usize;
            bytes[at.index(data)] ^= 0x10;
            prop_assert!(read_part(bytes).is_err());
        }

        #[test]
        fn a_truncated_file_is_detected(records in vec(record(), 1..10), at in any::<prop::sample::Index>()) {
            let mut bytes = write_part(&records).unwrap();
            bytes.truncate(at.index(bytes.len()));
            prop_assert!(read_part(bytes).is_err());
        }
    }

    /// A record with a value in every column, one with none, and one with an error.
    fn example() -> [Record; 3] {
        let mut full = Record {
            sample: "val/n03218198/ILSVRC2012_val_00000538".into(),
            label: 537,
            class: "dog sled".into(),
            condition: "noise:linf:0.25:fg".into(),
            trial: 2,
            prediction: Some(4_000_000_000),
            correct: Some(true),
            rank: Some(0),
            rank_within: Some(3),
            confidence: Some(0.75),
            certainty: Some(0.5),
            object_fraction: Some(0.125),
            eccentricity: Some(0.25),
            components: Some(2),
            cue_rank: Some(0.0625),
            ..Record::default()
        };
        for (at, column) in MapScores::columns().enumerate() {
            full.map.set(column, Some(at as f32 / 32.0));
        }
        let failed = Record { sample: "b".into(), error: Some("the file is empty".into()), ..Record::default() };
        [full, Record::default(), failed]
    }

    /// Old runs are resumed, and parts of one run are compared byte by byte, so the bytes of a part must not change.
    #[test]
    fn bytes_of_a_part_are_pinned() {
        let bytes = write_part(&example()).unwrap();
        assert_eq!(sha256_hex(&bytes), "b83501b2c6c2b32a74f9944bef88b70169c8c9436c69e2777fce9581ffcaefd9");
        assert_eq!(read_part(bytes).unwrap(), example());
    }

    #[test]
    fn bits_of_a_float_are_kept() {
        let record = Record {
            label: u32::MAX,
            confidence: Some(f32::MIN_POSITIVE / 2.0),
            object_fraction: Some(-0.0),
            certainty: Some(f32::INFINITY),
            ..Record::default()
        };
        let back = read_part(write_part(std::slice::from_ref(&record)).unwrap()).unwrap();
        assert_eq!(back[0].object_fraction.map(f32::to_bits), Some((-0.0f32).to_bits()));
        assert_eq!(back[0], record);
    }
}
