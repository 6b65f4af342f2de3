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
    for name in found {
        let spec = zoo::spec(name)?;
        let note = if options::embedded().any(|known| known == name) { ", weights included" } else { "" };
        let (height, width) = spec.preprocess.input;
        println!("{name:44} {height} × {width}{note}");
    }
    Ok(())
}

fn show(name: &str, all: bool) -> Result<()> {
    let spec = zoo::spec(name)?;
    let graph = zoo::graph(name, spec.classes)?;
    let (height, width) = spec.preprocess.input;
    let input = [1, 3, height, width];
    // Running means and variances are measured, not learnt, and not counted by anybody.
    let learnt = graph.parameters().into_iter().filter(|parameter| !parameter.name.contains(".running_"));
    let parameters: usize = learnt.map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    println!("{}", spec.name);
    println!("input        {height} × {width}, {:?}, {:?}", spec.preprocess.resize, spec.preprocess.filter);
    println!("normalised   mean {:?}, deviation {:?}", spec.preprocess.mean, spec.preprocess.std);
    println!("classes      {}", spec.classes);
    println!("parameters   {:.2} million", parameters as f64 / 1e6);
    println!("work         {:.2} GMACs a picture", graph.multiply_adds(&input)? as f64 / 1e9);
    println!("CAM node     {}", spec.cam_node);
    println!("features     {}", spec.feature_node);
    println!("{}", if all { "nodes" } else { "blocks and stages (--nodes for all nodes)" });
    let shapes = graph.shapes(&input)?;
    let line = |name: &str, index: usize| {
        let shape: Vec<String> = shapes[index][1..].iter().map(ToString::to_string).collect();
        println!("  {name:40} {:24} {}", layout(graph.nodes()[index].layout), shape.join(" × "));
    };
    match all {
        true => graph.nodes().iter().enumerate().for_each(|(index, node)| line(&node.name, index)),
        false => graph.aliases().for_each(|(name, node)| line(name, node.index())),
    }
    Ok(())
}

fn layout(layout: Layout) -> String {
    match layout {
        Layout::Nchw => "picture".into(),
        Layout::Tokens { prefix, h, w } => format!("tokens {prefix} + {h} × {w}"),
        Layout::Vector => "vector".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}
