//! Pickles of objects, as torch writes them: what is kept, what is skipped, and what is an error.

use hard_imagenet_pickle::Pickle;

fn error(bytes: &[u8]) -> String {
    Pickle::read_objects(&mut &bytes[..]).unwrap_err().to_string()
}

#[test]
fn calls_are_described_and_not_made() {
    // os.system("ls"), as a hostile checkpoint would contain it.
    let bytes = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.";
    let pickle = Pickle::read_objects(&mut &bytes[..]).unwrap();
    let (function, mut arguments) = pickle.root().call().unwrap();
    assert_eq!((function, arguments.next().unwrap().as_text()), ("os.system", Some("ls")));
}

#[test]
fn integers_have_a_sign_where_they_should() {
    let value = |bytes: &[u8]| {
        let pickle = Pickle::read_objects(&mut &bytes[..]).unwrap();
        format!("{:?}", pickle.root())
    };
    assert_eq!(value(b"K\xff."), "255");
    assert_eq!(value(b"J\xff\xff\xff\xff."), "-1");
    assert_eq!(value(b"\x8a\x01\xff."), "-1");
    assert_eq!(value(b"\x8a\x00."), "0");
    assert_eq!(value(b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), i64::MAX.to_string());
    assert_eq!(value(b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00."), "a very large integer");
}

#[test]
fn damage_is_an_error() {
    assert!(error(b"").contains("truncated"));
    assert!(error(b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f").contains("truncated"));
    assert!(error(b"X\xff\xff\xff\xffabc").contains("truncated"));
    assert!(error(b".").contains("empty stack"));
    assert!(error(b"(0.").contains("empty stack"));
    assert!(error(b"t").contains("mark"));
    assert!(error(b"}(K\x01u.").contains("without a value"));
    assert!(error(b"h\x05.").contains("never stored"));
    assert!(error(b"cabc").contains("truncated"));
    assert!(error(b"\xff.").contains("byte 0 is not an instruction"));
}

#[test]
fn deep_nesting_takes_no_recursion() {
    let mut bytes = vec![b']'; 300_000];
    bytes.extend([b'a'; 299_999]);
    bytes.push(b'.');
    let pickle = Pickle::read_objects(&mut &bytes[..]).unwrap();
    assert_eq!(pickle.root().items().map(|items| items.len()), Some(1));
}

#[test]
fn endless_programs_end() {
    let bytes = [b"N".to_vec(), vec![b'2'; 10_000_000]].concat();
    assert!(error(&bytes).contains("more than"));
}

#[test]
fn objects_keep_their_entries_and_state() {
    // A module in the style of torch: an object with a state, whose entry is a value outside the pickle.
    let bytes = b"\x80\x02cm\nC\n)\x81}X\x01\x00\x00\x00wK\x07QsbN\x86.rest";
    let mut reader = &bytes[..];
    let pickle = Pickle::read_objects(&mut reader).unwrap();
    assert_eq!(reader, b"rest");
    let object = pickle.root().items().unwrap().next().unwrap();
    assert_eq!(object.call().map(|(function, arguments)| (function, arguments.len())), Some(("m.C", 0)));
    assert_eq!(object.entries().unwrap().count(), 0);
    let (key, value) = object.state().unwrap().entries().unwrap().next().unwrap();
    assert_eq!((key.as_text(), value.persistent_id().unwrap().as_int()), (Some("w"), Some(7)));
    assert_eq!(format!("{object:?} {value:?}"), "an object made by m.C a value outside the pickle");
}

#[test]
fn bytes_are_skipped_and_damaged_text_is_replaced() {
    let shown = |bytes: &[u8]| format!("{:?}", Pickle::read_objects(&mut &bytes[..]).unwrap().root());
    assert_eq!(shown(b"C\x03abc."), "3 bytes");
    assert_eq!(shown(b"U\x02a\xff."), "\"a\u{fffd}\"");
    assert!(Pickle::parse(b"U\x02a\xff.").unwrap_err().to_string().contains("is not UTF-8 text"));
}
