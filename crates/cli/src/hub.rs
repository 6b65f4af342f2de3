//! The Hugging Face hub, configured by the same environment variables as Python's `huggingface_hub`. No other file of the
//! program reads the environment.

use hard_imagenet::models::Hub;
use std::path::{Path, PathBuf};

/// Returns the hub that the environment describes: HF_ENDPOINT, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME,
/// XDG_CACHE_HOME, HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE.
pub(crate) fn from_environment() -> Hub {
    from_variables(|name| std::env::var(name).ok().filter(|value| !value.is_empty()), std::env::home_dir())
}

fn from_variables(variable: impl Fn(&str) -> Option<String>, user: Option<PathBuf>) -> Hub {
    let user = user.unwrap_or_default();
    let expand = |path: &str| PathBuf::from(expand(path, &variable, |name| home_of(name, &user)));
    let folder = |name: &str| variable(name).map(|path| expand(&path));
    let cache = || folder("XDG_CACHE_HOME").unwrap_or_else(|| user.join(".cache"));
    let home = folder("HF_HOME").unwrap_or_else(|| cache().join("huggingface"));
    let cache = folder("HF_HUB_CACHE").or_else(|| folder("HUGGINGFACE_HUB_CACHE")).unwrap_or_else(|| home.join("hub"));
    let mut hub = Hub::new(cache);
    if let Some(endpoint) = variable("HF_ENDPOINT") {
        hub = hub.endpoint(endpoint);
    }
    let token_file = folder("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
    let given = variable("HF_TOKEN").or_else(|| variable("HUGGING_FACE_HUB_TOKEN"));
    let stored = || std::fs::read_to_string(token_file).ok().map(|token| token.trim().to_owned());
    if let Some(token) = given.or_else(stored).filter(|token| !token.is_empty()) {
        hub = hub.token(token);
    }
    let offline = variable("HF_HUB_OFFLINE").or_else(|| variable("TRANSFORMERS_OFFLINE")).unwrap_or_default();
    hub.offline(["1", "on", "yes", "true"].contains(&offline.to_lowercase().as_str()))
}

/// Expands `~` or `~name` at the start of a path, and `$NAME` or `${NAME}` anywhere, as Python's `expanduser` followed by
/// `expandvars` does. Where no shell reads a variable (Docker's ENV, systemd), nobody else expands them. What has no value
/// stays as it is, and values are not expanded again.
fn expand(path: &str, variable: impl Fn(&str) -> Option<String>, home_of: impl Fn(&str) -> Option<PathBuf>) -> String {
    let is_separator = |character: char| character == '/' || (cfg!(windows) && character == '\\');
    let from_home = path.strip_prefix('~').and_then(|rest| {
        let (user, rest) = rest.split_at(rest.find(is_separator).unwrap_or(rest.len()));
        let home = home_of(user)?.into_os_string().into_string().ok()?;
        let path = format!("{}{rest}", home.trim_end_matches(is_separator));
        Some(if path.is_empty() { "/".to_owned() } else { path })
    });
    let path = from_home.as_deref().unwrap_or(path);
    let mut expanded = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let is_end = |character: char| !character.is_ascii_alphanumeric() && character != '_';
        let bare = &after[..after.find(is_end).unwrap_or(after.len())];
        let (name, length) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => (bare, bare.len()),
        };
        match variable(name).filter(|_| !name.is_empty()) {
            Some(value) => expanded.push_str(&value),
            None => expanded.push_str(&rest[before.len()..=before.len() + length]),
        }
        rest = &after[length..];
    }
    expanded + rest
}

/// Returns the home of a user, or of the current one if the name is empty.
fn home_of(name: &str, own: &Path) -> Option<PathBuf> {
    if name.is_empty() {
        return Some(own.to_owned()).filter(|home| !home.as_os_str().is_empty());
    }
    // name:password:user:group:comment:home:shell
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let user = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
    user.get(5).map(PathBuf::from)
}

/// Points a hub at "owner/name", "owner/name@revision", or "@revision" of timm's repository.
pub(crate) fn parse_place(hub: Hub, place: &str) -> Hub {
    match place.split_once('@') {
        Some(("", revision)) => hub.revision(revision),
        Some((repository, revision)) => hub.repository(repository).revision(revision),
        None => hub.repository(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: &Hub) {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let hub = from_variables(variable, Some("/home/me".into()));
        assert_eq!(format!("{hub:?}"), format!("{expected:?}"), "{variables:?}");
    }

    #[test]
    fn the_environment_is_read_as_python_reads_it() {
        check(&[], &Hub::new("/home/me/.cache/huggingface/hub"));
        check(&[("XDG_CACHE_HOME", "/x")], &Hub::new("/x/huggingface/hub"));
        check(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/hf")], &Hub::new("/hf/hub"));
        check(&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/c")], &Hub::new("/c"));
        check(&[("HF_HOME", "/hf"), ("HF_ENDPOINT", "http://m")], &Hub::new("/hf/hub").endpoint("http://m"));
        check(&[("HF_HOME", "/hf"), ("HF_HUB_OFFLINE", "YES")], &Hub::new("/hf/hub").offline(true));
        check(&[("HF_HOME", "/hf"), ("HF_HUB_OFFLINE", "0")], &Hub::new("/hf/hub"));
    }

    /// The expectations are what Python's `os.path.expandvars(os.path.expanduser(path))` returns.
    #[test]
    fn paths_are_expanded_as_python_expands_them() {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/me".to_owned()),
            "A_1" => Some("$HOME/~".to_owned()),
            _ => None,
        };
        let home_of = |name: &str| match name {
            "" => Some(PathBuf::from("/home/me")),
            "ada" => Some("/srv/ada/".into()),
            "top" => Some("/".into()),
            _ => None,
        };
        for (path, expected) in [
            ("~", "/home/me"),
            ("~/hf", "/home/me/hf"),
            ("~ada/hf", "/srv/ada/hf"),
            ("~ada", "/srv/ada"),
            ("~top", "/"),
            ("~top/hf", "/hf"),
            ("~nobody-there/hf", "~nobody-there/hf"),
            ("/a/~/b", "/a/~/b"),
            ("$HOME/hf", "/home/me/hf"),
            ("${HOME}/hf", "/home/me/hf"),
            ("${HOME}hf$HOME", "/home/mehf/home/me"),
            ("/x/$HOMER/$NONE/${NONE}", "/x/$HOMER/$NONE/${NONE}"),
            ("$A_1/x", "$HOME/~/x"),
            ("$", "$"),
            ("a$$HOME", "a$/home/me"),
            ("${HOME", "${HOME"),
            ("${}", "${}"),
            ("$é", "$é"),
            ("", ""),
            ("plain", "plain"),
        ] {
            assert_eq!(expand(path, variable, home_of), expected, "{path}");
        }
    }

    #[test]
    fn every_folder_is_expanded() {
        let home = ("HOME", "/home/me");
        check(&[home, ("HF_HOME", "~/hf")], &Hub::new("/home/me/hf/hub"));
        check(&[home, ("HF_HOME", "$HOME/hf")], &Hub::new("/home/me/hf/hub"));
        check(&[home, ("HF_HUB_CACHE", "${HOME}/c")], &Hub::new("/home/me/c"));
        check(&[home, ("HUGGINGFACE_HUB_CACHE", "~/c")], &Hub::new("/home/me/c"));
        check(&[home, ("HUGGINGFACE_HUB_CACHE", "/a"), ("HF_HUB_CACHE", "/b")], &Hub::new("/b"));
        check(&[home, ("XDG_CACHE_HOME", "~/x")], &Hub::new("/home/me/x/huggingface/hub"));
        check(&[home, ("HF_HOME", "$NOWHERE/hf")], &Hub::new("$NOWHERE/hf/hub"));
        check(&[("TRANSFORMERS_OFFLINE", "1")], &Hub::new("/home/me/.cache/huggingface/hub").offline(true));
        check(&[("HUGGING_FACE_HUB_TOKEN", "t")], &Hub::new("/home/me/.cache/huggingface/hub").token("t"));
    }

    #[test]
    fn places() {
        let hub = || Hub::new("/c");
        let check = |place: &str, expected: Hub| {
            assert_eq!(format!("{:?}", parse_place(hub(), place)), format!("{expected:?}"))
        };
        check("me/mine", hub().repository("me/mine"));
        check("me/mine@v2", hub().repository("me/mine").revision("v2"));
        check("@0123abc", hub().revision("0123abc"));
    }
}
