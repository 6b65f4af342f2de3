//! The Hugging Face hub, configured by the same environment variables as Python's `huggingface_hub`. No other file of the
//! program reads the environment.

use hard_imagenet::models::Hub;
use std::path::PathBuf;

/// Returns the hub that the environment describes: HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_TOKEN, HF_TOKEN_PATH,
/// HF_HUB_OFFLINE.
pub(crate) fn from_environment() -> Hub {
    from_variables(|name| std::env::var(name).ok().filter(|value| !value.is_empty()), std::env::home_dir())
}

fn from_variables(variable: impl Fn(&str) -> Option<String>, user: Option<PathBuf>) -> Hub {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let cache = || folder("XDG_CACHE_HOME").unwrap_or_else(|| user.unwrap_or_default().join(".cache"));
    let home = folder("HF_HOME").unwrap_or_else(|| cache().join("huggingface"));
    let mut hub = Hub::new(folder("HF_HUB_CACHE").unwrap_or_else(|| home.join("hub")));
    if let Some(endpoint) = variable("HF_ENDPOINT") {
        hub = hub.endpoint(endpoint);
    }
    let token_file = folder("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
    let stored = || std::fs::read_to_string(token_file).ok().map(|token| token.trim().to_owned());
    if let Some(token) = variable("HF_TOKEN").or_else(stored).filter(|token| !token.is_empty()) {
        hub = hub.token(token);
    }
    let offline = variable("HF_HUB_OFFLINE").unwrap_or_default().to_lowercase();
    hub.offline(["1", "on", "yes", "true"].contains(&offline.as_str()))
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
