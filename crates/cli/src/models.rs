//! `hard-imagenet models`: the names that `-m` takes, and what is behind one.

use crate::options;
use anyhow::{Result, bail};
use clap::Subcommand;
use hard_imagenet::models::{Layout, zoo};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only names that match, with * as wildcard: 'resnet*'
    #[arg(default_value = "*")]
    pattern: String,
}

#[derive(Subcommand)]
enum Command {
    /// List the models by name (what `models` does without more)
    List {
        /// Only names that match, with * as wildcard: 'resnet*'
        #[arg(default_value = "*")]
        pattern: String,
    },
    /// Preprocessing, size and nodes of one model
    Show {
        /// The model, as timm writes its name
        name: String,
        /// All nodes, not only those of the usual layouts that are worth looking from
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
        let note = if options::embedded().any(|known| known == name) { ", weights included" } else { "" };
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
    // Running means and variances are measured, not learnt, and not counted by anybody.
    let learnt = graph.parameters().into_iter().filter(|parameter| !parameter.name.contains(".running_"));
    let parameters: usize = learnt.map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    let mut lines = vec![
        spec.name.clone(),
        format!("input        {height} × {width}, {:?}, {:?}", spec.preprocess.resize, spec.preprocess.filter),
        format!("normalised   mean {:?}, deviation {:?}", spec.preprocess.mean, spec.preprocess.std),
        format!("classes      {}", spec.classes),
        format!("parameters   {:.2} million", parameters as f64 / 1e6),
        format!("work         {:.2} GMACs a picture", graph.multiply_adds(&input)? as f64 / 1e9),
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
        Layout::Nchw => "picture".into(),
        Layout::Tokens { prefix, h, w } => format!("tokens {prefix} + {h} × {w}"),
        Layout::Vector => "vector".into(),
        Layout::Nhwc => "picture, channels last".into(),
        Layout::Other => "other".into(),
    }
}
