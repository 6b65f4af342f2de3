//! Pickles of plain values: those that Python wrote (golden/make.py), and hostile ones.

use hard_imagenet_pickle::{Pickle, PickleError, Value};

fn golden(name: &str) -> Result<Pickle, PickleError> {
    let path = format!("{}/tests/golden/pickles/{name}.pkl", env!("CARGO_MANIFEST_DIR"));
    Pickle::parse(&std::fs::read(path).unwrap())
}

fn get<'a>(dictionary: Value<'a>, wanted: &str) -> Value<'a> {
    dictionary.entries().unwrap().find(|(key, _)| key.as_text() == Some(wanted)).unwrap().1
}

fn shown(item: Value<'_>) -> Vec<String> {
    item.items().unwrap().map(|item| format!("{item:?}")).collect()
}

#[test]
fn every_protocol_gives_the_same_values() {
    for protocol in 0..=5 {
        let pickle = golden(&format!("protocol{protocol}")).unwrap();
        let root = pickle.root();
        let (key, paths) = root.entries().unwrap().next().unwrap();
        assert_eq!(key.as_int(), Some(537));
        assert_eq!(shown(paths), ["\"n03218198_1.JPEG\"", "\"n03218198_2.JPEG\""]);
        assert_eq!(shown(get(root, "again")), shown(paths));
        #[rustfmt::skip]
        assert_eq!(
            shown(get(root, "numbers")),
            ["0", "1", "255", "256", "65536", "-1", "2147483648", "1099511627776", "-1099511627776",
             "a very large integer", "1.5", "true", "false", "None"],
        );
        #[rustfmt::skip]
        assert_eq!(
            shown(get(root, "kinds")),
            ["\"dog sled\"", "a list of 0", "a list of 1", "a list of 2", "a list of 3", "a list of 4", "a list of 0",
             "a dictionary of 0"],
        );
        let many: Vec<i64> = get(root, "many").items().unwrap().filter_map(Value::as_int).collect();
        assert_eq!(many, (0..1100).collect::<Vec<_>>());
    }
}

#[test]
fn bytes_and_sets_are_read() {
    let pickle = golden("kinds4").unwrap();
    assert_eq!(shown(pickle.root()), ["5 bytes", "4 bytes", "a list of 1", "a list of 1"]);
}

#[test]
fn ordered_and_default_dictionaries_are_dictionaries() {
    for name in ["ordered2", "ordered4", "default2", "default4"] {
        let pickle = golden(name).unwrap();
        let entries: Vec<_> =
            pickle.root().entries().unwrap().map(|(key, value)| (key.as_int().unwrap(), shown(value))).collect();
        assert_eq!(entries, [(537, vec!["\"a\"".to_owned()]), (379, vec!["\"b\"".to_owned()])], "{name}");
    }
}

#[test]
fn an_ordered_dictionary_of_python_2_has_its_entries() {
    // collections.OrderedDict([[1, 2], [3, 4]]), as Python 2 pickles it.
    let pickle = Pickle::parse(b"\x80\x02ccollections\nOrderedDict\n](](K\x01K\x02e](K\x03K\x04ee\x85R.").unwrap();
    let entries = pickle.root().entries().unwrap();
    let entries: Vec<_> = entries.map(|(key, value)| (key.as_int(), value.as_int())).collect();
    assert_eq!(entries, [(Some(1), Some(2)), (Some(3), Some(4))]);
    assert_eq!(format!("{:?}", pickle.root()), "a dictionary of 2");
}

#[test]
fn objects_are_refused_by_name() {
    let check = |name: &str, expected: &str| {
        let error = golden(name).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("never run"), "{error}");
    };
    check("date2", "datetime.date");
    check("date4", "datetime.date");
    check("numpy2", "scalar");
    check("numpy4", "scalar");
    // A hostile pickle would call os.system("true").
    let error = Pickle::parse(b"cos\nsystem\n(S'true'\ntR.").unwrap_err();
    assert_eq!(error, PickleError::Object { name: "os.system".into() });
}

#[test]
fn every_prefix_is_an_error() {
    let path = format!("{}/tests/golden/pickles/ordered4.pkl", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    for length in 0..bytes.len() {
        assert_eq!(Pickle::parse(&bytes[..length]).unwrap_err(), PickleError::Truncated, "{length} bytes");
    }
}

#[test]
fn depth_and_sharing_cost_no_more_than_the_length() {
    // A million nested lists.
    let deep = [vec![b']'; 1_000_000], vec![b'a'; 999_999], b".".to_vec()].concat();
    assert_eq!(format!("{:?}", Pickle::parse(&deep).unwrap().root()), "a list of 1");
    // Each list contains the previous one twice, which makes 2^200 items for a reader that copies.
    let double = |level: u8| [b']', b'(', b'h', level, b'h', level, b'e', b'q', level + 1];
    let mut bomb = vec![b']', b'q', 0];
    (0..200).for_each(|level| bomb.extend(double(level)));
    bomb.push(b'.');
    assert_eq!(format!("{:?}", Pickle::parse(&bomb).unwrap().root()), "a list of 2");
    // A list that contains itself.
    let pickle = Pickle::parse(b"]q\x00h\x00a.").unwrap();
    assert_eq!(shown(pickle.root()), ["a list of 1"]);
}

#[test]
fn lengths_are_not_trusted() {
    for claim in [&b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc."[..], b"B\xff\xff\xff\x7fabc.", b"\x8b\xff\xff\xff\xff."]
    {
        assert_eq!(Pickle::parse(claim).unwrap_err(), PickleError::Truncated, "{claim:?}");
    }
}

#[test]
fn damage_is_reported_with_its_place() {
    let check = |bytes: &[u8], at: usize, expected: &str| match Pickle::parse(bytes).unwrap_err() {
        PickleError::Damaged { at: found, what } => assert_eq!((found, what), (at, expected), "{bytes:?}"),
        other => panic!("{other}"),
    };
    check(b"<html>", 0, "is not an instruction");
    check(b".", 0, "takes from an empty stack");
    check(b"(.", 1, "takes from an empty stack");
    check(b"N\x85\x86.", 2, "takes from an empty stack");
    check(b"N(\x85.", 2, "takes from an empty stack");
    check(b"e", 0, "refers to a mark that does not exist");
    check(b"NNa.", 2, "appends to something that is not a list");
    check(b"NNNs.", 3, "puts an entry into something that is not a dictionary");
    check(b"}(Nu.", 3, "has a key without a value");
    check(b"h\x05.", 1, "recalls a value that was never stored");
    check(b"I5x\n.", 3, "is not a number");
    check(b"NNR.", 2, "calls something that is not a function");
}
