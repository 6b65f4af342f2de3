//! `hard-imagenet models`: lists the model names that `-m` takes, and describes one model.

use crate::options;
use anyhow::{Result, bail};
use clap::Subcommand;
use hard_imagenet::models::{Layout, zoo};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// List only names that match, with * as a wildcard: 'resnet*'
    #[arg(default_value = "*")]
    pattern: String,
}

#[derive(Subcommand)]
enum Command {
    /// List the models by name (the default)
    List {
        /// List only names that match, with * as a wildcard: 'resnet*'
        #[arg(default_value = "*")]
        pattern: String,
    },
    /// Describe one model: preprocessing, size and nodes
    Show {
        /// Name of the model in timm
        name: String,
        /// Show all nodes instead of only the blocks and stages
        #[arg(long)]
        nodes: bool,
    },
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        None => list(&args.pattern),
        Some(Command::List { pattern }) => list(pattern),
        Some(Command::Show { name, nodes }) => show(name, *nodes),
    }
}

fn list(pattern: &str) -> Result<()> {
    let found = zoo::find(pattern);
    if found.is_empty() {
        bail!("no model matches '{pattern}'; `hard-imagenet models` lists them all");
    }
    let mut lines = Vec::with_capacity(found.len());
    for name in found {
        let spec = zoo::spec(name)?;
        let note = if options::embedded_names().any(|known| known == name) { ", weights included" } else { "" };
        let (height, width) = spec.preprocess.input;
        lines.push(format!("{name:44} {height} × {width}{note}"));
    }
    options::print(&lines)
}

fn show(name: &str, all: bool) -> Result<()> {
    let spec = zoo::spec(name)?;
    let graph = zoo::graph(name, spec.classes)?;
    let (height, width) = spec.preprocess.input;
    let input = [1, 3, height, width];
    // Running means and variances are measured and not learned, so parameter counts leave them out by convention.
    let learned = graph.parameters().into_iter().filter(|parameter| !parameter.name.contains(".running_"));
    let parameters: usize = learned.map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    let mut lines = vec![
        spec.name.clone(),
        format!("input        {height} × {width}, {:?}, {:?}", spec.preprocess.resize, spec.preprocess.filter),
        format!("normalized   mean {:?}, standard deviation {:?}", spec.preprocess.mean, spec.preprocess.std),
        format!("classes      {}", spec.classes),
        format!("parameters   {:.2} million", parameters as f64 / 1e6),
        format!("work         {:.2} GMACs per image", graph.multiply_adds(&input)? as f64 / 1e9),
        format!("CAM node     {}", spec.cam_node),
        format!("features     {}", spec.feature_node),
        if all { "nodes" } else { "blocks and stages (--nodes for all nodes)" }.to_owned(),
    ];
    let shapes = graph.shapes(&input)?;
    let line = |name: &str, index: usize| {
        let shape: Vec<String> = shapes[index][1..].iter().map(ToString::to_string).collect();
        format!("  {name:40} {:24} {}", layout(graph.nodes()[index].layout), shape.join(" × "))
    };
    match all {
        true => lines.extend(graph.nodes().iter().enumerate().map(|(index, node)| line(&node.name, index))),
        false => lines.extend(graph.aliases().map(|(name, node)| line(name, node.index()))),
    }
    options::print(&lines)
}

fn layout(layout: Layout) -> String {
    match layout {
        Layout::Nchw => "feature map".into(),
        Layout::Tokens { prefix, h, w } => format!("tokens {prefix} + {h} × {w}"),
        Layout::Vector => "vector".into(),
        Layout::Nhwc => "feature map, channels last".into(),
        Layout::Other => "other".into(),
    }
}
