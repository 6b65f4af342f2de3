//! Names of nodes, derived from the module names that exporters keep.

use crate::proto::NodeProto;
use std::collections::HashSet;

/// Returns the module of a node as a checkpoint names it, such as `layer4.2.act3`. It is empty if the module is unknown.
///
/// torch's older exporter writes the modules into the node's name, `/layer4/layer4.2/act3/Relu`, the newer one into its
/// metadata, `['', 'layer4', 'layer4.2', 'layer4.2.act3', 'relu']`.
pub(crate) fn module(node: &NodeProto<'_>) -> String {
    if let Some(scopes) = node.metadata.iter().find(|pair| pair.key == "pkg.torch.onnx.name_scopes") {
        let names: Vec<&str> = scopes.value.split('\'').skip(1).step_by(2).collect();
        return names.len().checked_sub(2).map_or(String::new(), |at| names[at].to_owned());
    }
    let Some(path) = node.name.strip_prefix('/') else { return String::new() };
    let segments: Vec<&str> = path.split('/').collect();
    let mut module = String::new();
    let mut before = "";
    for segment in &segments[..segments.len() - 1] {
        // A member of a sequence repeats the name of the sequence: `layer4.2` in `layer4`.
        let own = segment.strip_prefix(before).and_then(|rest| rest.strip_prefix('.')).unwrap_or(segment);
        if !module.is_empty() {
            module.push('.');
        }
        module.push_str(own);
        before = segment;
    }
    module
}

/// Returns the module itself and the modules around it, innermost first.
pub(crate) fn with_parents(module: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(module), |name| name.rsplit_once('.').map(|(parent, _)| parent))
        .filter(|m| !m.is_empty())
}

/// The names that are taken.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// Returns the name, followed by a number if it is taken, and marks the result as taken.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let numbered = (1..).map(|i| format!("{name}_{i}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !self.0.contains(name));
        let free = free.unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Pair;

    #[test]
    fn modules_of_both_exporters() {
        let check = |name: &str, scopes: Option<&str>, want: &str| {
            let pair = |text: &str| Pair { key: "pkg.torch.onnx.name_scopes".into(), value: text.into() };
            let metadata = scopes.map(pair).into_iter().collect();
            assert_eq!(module(&NodeProto { name: name.into(), metadata, ..NodeProto::default() }), want);
        };
        check("/layer4/layer4.2/act3/Relu", None, "layer4.2.act3");
        check("/blocks/blocks.0/blocks.0.1/conv_pw/Conv", None, "blocks.0.1.conv_pw");
        check("/Relu", None, "");
        check("Conv_12", None, "");
        check("node_relu_3", Some("['', 'layer4', 'layer4.2', 'layer4.2.act3', 'relu_3']"), "layer4.2.act3");
        check("node_relu", Some("['', 'relu']"), "");
        check("node_relu", Some(""), "");
    }

    #[test]
    fn modules_have_parents() {
        assert_eq!(with_parents("a.0.b").collect::<Vec<_>>(), ["a.0.b", "a.0", "a"]);
        assert_eq!(with_parents("").count(), 0);
    }

    #[test]
    fn names_are_unique() {
        let mut names = Names::default();
        assert_eq!(["a", "a", "b", "a"].map(|name| names.unique(name)), ["a", "a_1", "b", "a_2"]);
    }
}
