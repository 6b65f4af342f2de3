//! What a reader of a folder sees while files are written, and afterwards.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use hard_imagenet_files::{read, read_if_exists, remove_unfinished, write_whole, write_whole_with};
use std::io::{Error, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn folders_are_created_and_files_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/file.json");
    assert_eq!(read_if_exists(&path).unwrap(), None);
    assert!(read(&path).unwrap_err().to_string().starts_with("cannot read"));
    write_whole(&path, b"first").unwrap();
    write_whole_with(&path, |file| (0..3).try_for_each(|i| write!(file, "{i}"))).unwrap();
    assert_eq!(read(&path).unwrap(), b"012");
    assert_eq!(names(path.parent().unwrap()), ["file.json"]);
}

#[test]
fn a_failed_or_panicking_writer_leaves_the_previous_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let fail = |file: &mut dyn Write| {
        file.write_all(b"half")?;
        Err(Error::other("the disk is full"))
    };
    let message = write_whole_with(&path, fail).unwrap_err().to_string();
    assert!(message.starts_with("cannot write") && message.ends_with("file: the disk is full"), "{message}");
    assert!(names(folder.path()).is_empty());

    write_whole(&path, b"whole").unwrap();
    write_whole_with(&path, fail).unwrap_err();
    let panicked = std::panic::catch_unwind(|| {
        write_whole_with(&path, |file| {
            file.write_all(b"half")?;
            panic!("in the middle")
        })
    });
    assert!(panicked.is_err());
    assert_eq!(read(&path).unwrap(), b"whole");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_killed_writer_leaves_nothing_under_the_final_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_half_and_waits", "--ignored"])
        .env("HARD_IMAGENET_FILES_TEST", &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let unfinished = loop {
        let half = |name: &String| std::fs::metadata(folder.path().join(name)).is_ok_and(|file| file.len() > 0);
        if let Some(name) = names(folder.path()).into_iter().find(half) {
            break name;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "the writer never began");
        std::thread::sleep(Duration::from_millis(5));
    };
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(unfinished.starts_with("file.") && unfinished.ends_with(".tmp"), "{unfinished}");
    assert_eq!(read_if_exists(&path).unwrap(), None);

    write_whole(&path, b"whole").unwrap();
    assert_eq!(remove_unfinished(folder.path(), |name| name == "file").unwrap(), 1);
    assert_eq!(names(folder.path()), ["file"]);
}

/// The process that [`a_killed_writer_leaves_nothing_under_the_final_name`] kills.
#[test]
#[ignore = "runs as a child process of another test"]
fn writes_half_and_waits() {
    let Some(path) = std::env::var_os("HARD_IMAGENET_FILES_TEST") else { return };
    let _ = write_whole_with(Path::new(&path), |file| {
        file.write_all(&[1; 100_000])?;
        file.flush()?;
        std::thread::sleep(Duration::from_secs(120));
        Ok(())
    });
}

#[test]
fn of_two_writers_at_once_one_wins_and_readers_see_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let contents = [vec![b'a'; 300_000], vec![b'b'; 200_000]];
    std::thread::scope(|scope| {
        for content in &contents {
            scope.spawn(|| (0..20).for_each(|_| write_whole(&path, content).unwrap()));
        }
        for _ in 0..200 {
            if let Some(seen) = read_if_exists(&path).unwrap() {
                assert!(contents.contains(&seen), "{} bytes", seen.len());
            }
        }
    });
    assert!(contents.contains(&read(&path).unwrap()));
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn only_accepted_leftovers_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["part-0.parquet.7.tmp", "part-1.parquet.7.tmp", "part-2.parquet", "notes.tmp"] {
        std::fs::write(folder.path().join(name), b"x").unwrap();
    }
    let ours = |name: &str| ["part-0.parquet", "part-2.parquet"].contains(&name);
    assert_eq!(remove_unfinished(folder.path(), ours).unwrap(), 1);
    assert_eq!(names(folder.path()), ["notes.tmp", "part-1.parquet.7.tmp", "part-2.parquet"]);
    assert!(remove_unfinished(&folder.path().join("missing"), ours).is_err());
}

#[test]
fn errors_name_the_path_and_the_action() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("run");
    std::fs::write(&blocked, "a file where a folder should be").unwrap();
    let error = write_whole(&blocked.join("run.json"), b"x").unwrap_err();
    assert_eq!((error.action, &error.path), ("create the folder", &blocked));
    assert!(error.to_string().starts_with("cannot create the folder"), "{error}");
    assert!(write_whole(folder.path().join("..").as_path(), b"x").is_err());
}

#[cfg(unix)]
#[test]
fn permissions_are_those_of_ordinary_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    std::fs::write(folder.path().join("ordinary"), b"x").unwrap();
    write_whole(&folder.path().join("whole"), b"x").unwrap();
    assert_eq!(mode("whole"), mode("ordinary"));
}
