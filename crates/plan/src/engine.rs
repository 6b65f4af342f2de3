use crate::PlanError;
use crate::compile::{Arithmetic, Request, compile};
use crate::plan::{Plan, Workspace};
use crate::weights::WeightCache;
use candle_core::{CpuStorage, DType, Storage, Tensor};
use hard_imagenet_cpu::Isa;
use hard_imagenet_cpu::bf16::Bf16;
use hard_imagenet_graph::{Graph, GraphError, NodeId, Op, WeightMap, run_from};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The most images that pass through a plan together on one thread. With more, weights are read less often but values leave the
/// cache: two to eight images measured 0 to 4 % slower each than one (docs/performance.md).
const MOST_IMAGES: usize = 1;

/// Runs a network on the CPU by plans, which are made when they are first needed and kept.
///
/// An engine belongs to one graph with one set of weights. Threads can share it. The value of an image has the same bits in
/// every batch, on any number of threads and on every instruction set.
#[derive(Debug)]
pub struct Engine {
    arithmetic: Arithmetic,
    plans: Mutex<HashMap<Request, Arc<Plan>>>,
    packed: WeightCache,
    workspaces: Mutex<Vec<Workspace>>,
}

/// The time of one step of a plan.
#[derive(Clone, Debug)]
pub struct StepTime {
    /// The node whose value the step computes, or helps to compute.
    pub node: String,
    /// What the step does.
    pub kernel: &'static str,
    /// The time, in seconds.
    pub seconds: f64,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(Isa::best())
    }
}

impl Engine {
    /// Creates an engine without plans for an instruction set. It computes in f32.
    pub fn new(isa: Isa) -> Self {
        Self::with(Arithmetic { isa, bf16: None })
    }

    /// Creates an engine without plans that computes products of bf16 numbers, which add up in f32. Everything else is f32: sums,
    /// residuals, norms, softmax, activations, depthwise convolutions, and 3 × 3 convolutions by Winograd's method.
    pub fn new_bf16(isa: Isa) -> Self {
        Self::with(Arithmetic { isa, bf16: Some(Bf16::new(isa)) })
    }

    fn with(arithmetic: Arithmetic) -> Self {
        Self { arithmetic, plans: Mutex::default(), packed: WeightCache::default(), workspaces: Mutex::default() }
    }

    /// Returns the values of the `wanted` nodes for the images `x` `(B, C, H, W)`, f32 on the CPU, as
    /// [`run_from`](hard_imagenet_graph::run_from) does. No gradient flows through them.
    ///
    /// The graph and the weights must be the same in every call.
    ///
    /// # Errors
    /// Returns [`PlanError::Unsupported`] if no step computes a node, and an error of the graph or of candle.
    pub fn run(
        &self,
        graph: &Graph,
        weights: &WeightMap,
        x: &Tensor,
        wanted: &[NodeId],
    ) -> Result<Vec<Tensor>, PlanError> {
        let x = x.to_dtype(DType::F32)?.contiguous()?;
        let (storage, layout) = x.storage_and_layout();
        let (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) = (&*storage, layout.contiguous_offsets())
        else {
            return Err(candle_core::Error::Msg("a plan needs images on the CPU".into()).into());
        };
        let shape = x.dims();
        let outputs = self.compute(graph, weights, shape, &values[start..end], wanted)?;
        let shapes = graph.shapes(shape)?;
        let tensors = wanted.iter().zip(outputs).map(|(id, values)| {
            let shape = shapes[id.index()].as_slice();
            Tensor::from_vec(values, shape, x.device())
        });
        Ok(tensors.collect::<Result<_, _>>()?)
    }

    /// Returns the values of the `wanted` nodes for the images `x` `(B, C, H, W)` by a plan where there can be one, and otherwise
    /// by the reference executor: for images that are not on the CPU, of another dtype than the engine's (f32, or bf16 for
    /// [`Engine::new_bf16`]), or part of a record of operations, and for networks with an operation that has no step.
    ///
    /// # Errors
    /// Returns an error in the cases of [`run_from`].
    pub fn run_or_fall_back(
        &self,
        graph: &Graph,
        weights: &WeightMap,
        x: &Tensor,
        wanted: &[NodeId],
    ) -> Result<Vec<Tensor>, GraphError> {
        let dtype = if self.arithmetic.bf16.is_some() { DType::BF16 } else { DType::F32 };
        let tracked = x.track_op() || weights.values().any(Tensor::track_op);
        if x.device().is_cpu() && x.dtype() == dtype && !tracked {
            match self.run(graph, weights, x, wanted) {
                Ok(values) => return Ok(values),
                Err(PlanError::Graph(error)) => return Err(error),
                Err(PlanError::Tensor(error)) => return Err(GraphError::Tensor(error)),
                Err(PlanError::Unsupported { .. }) => {}
            }
        }
        run_from(graph, weights, &[(graph.input(), x.clone())], wanted)
    }

    /// Runs the plan for images `x` `(B, C, H, W)`, f32 on the CPU, all at once on the current thread, and returns the time of
    /// each step.
    ///
    /// # Errors
    /// Fails like [`Engine::run`].
    pub fn profile(
        &self,
        graph: &Graph,
        weights: &WeightMap,
        x: &Tensor,
        wanted: &[NodeId],
    ) -> Result<Vec<StepTime>, PlanError> {
        let input = x.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let request = Request { input: x.dims().to_vec(), wanted: wanted.to_vec(), parts: 1 };
        let plan = self.plan(graph, weights, request)?;
        let shapes = graph.shapes(x.dims())?;
        let mut outputs: Vec<Vec<f32>> =
            wanted.iter().map(|id| vec![0.0; shapes[id.index()].iter().product()]).collect();
        let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let mut workspace = self.take_workspace();
        let (mut times, mut last) = (Vec::new(), Instant::now());
        plan.run_timed(&mut workspace, &input, &mut outputs, &mut |step| {
            let kernel = step.parts.first().map_or("", |part| part.kernel.name());
            times.push(StepTime { node: step.node.clone(), kernel, seconds: last.elapsed().as_secs_f64() });
            last = Instant::now();
        });
        self.return_workspace(workspace);
        Ok(times)
    }

    fn compute(
        &self,
        graph: &Graph,
        weights: &WeightMap,
        shape: &[usize],
        input: &[f32],
        wanted: &[NodeId],
    ) -> Result<Vec<Vec<f32>>, PlanError> {
        let shapes = graph.shapes(shape)?;
        let threads = rayon::current_num_threads();
        let images = shape.first().copied().unwrap_or(0);
        let jobs = if divides(graph, shape, wanted) { divide(images, threads) } else { vec![vec![images]] };
        let mut outputs: Vec<Vec<f32>> =
            wanted.iter().map(|id| vec![0.0; shapes[id.index()].iter().product()]).collect();
        if images == 0 {
            return Ok(outputs);
        }
        let work = assign(&jobs, images, input, &mut outputs);
        // A single job is shared by all threads. Several are computed at the same time, each by one.
        let parts = if jobs.len() > 1 { 1 } else { threads };
        let plan_for = |images: usize| {
            let input = [&[images], &shape[1..]].concat();
            self.plan(graph, weights, Request { input, wanted: wanted.to_vec(), parts })
        };
        // Plans are made before threads need them, each once.
        let sizes: BTreeSet<usize> = jobs.into_iter().flatten().collect();
        sizes.into_iter().try_for_each(|images| plan_for(images).map(|_| ()))?;
        let run_job = |groups: Vec<Group<'_>>| -> Result<(), PlanError> {
            let mut workspace = self.take_workspace();
            let result = groups.into_iter().try_for_each(|mut group| {
                let plan = plan_for(group.images)?;
                plan.run(&mut workspace, group.input, &mut group.outputs);
                Ok(())
            });
            self.return_workspace(workspace);
            result
        };
        if work.len() == 1 {
            // Within the pool, where threads that have just finished a step find the next one without going to sleep.
            rayon::scope(|_| work.into_iter().try_for_each(run_job))?;
        } else {
            work.into_par_iter().with_max_len(1).try_for_each(run_job)?;
        }
        Ok(outputs)
    }

    fn return_workspace(&self, workspace: Workspace) {
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
    }

    fn take_workspace(&self) -> Workspace {
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn plan(&self, graph: &Graph, weights: &WeightMap, request: Request) -> Result<Arc<Plan>, PlanError> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&request) {
            return Ok(plan.clone());
        }
        let plan = Arc::new(compile(graph, weights, &self.packed, self.arithmetic, &request)?);
        plans.insert(request, plan.clone());
        Ok(plan)
    }
}

/// Images that pass through a plan together, and where their values go.
struct Group<'a> {
    images: usize,
    input: &'a [f32],
    outputs: Vec<&'a mut [f32]>,
}

/// Cuts the input and the outputs into the groups of each job, which list their numbers of images.
fn assign<'a>(
    jobs: &[Vec<usize>],
    images: usize,
    mut input: &'a [f32],
    outputs: &'a mut [Vec<f32>],
) -> Vec<Vec<Group<'a>>> {
    let mut rest: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    let each_input = input.len() / images.max(1);
    let each: Vec<usize> = rest.iter().map(|output| output.len() / images.max(1)).collect();
    let mut cut = |count: usize| {
        let own;
        (own, input) = input.split_at(count * each_input);
        let outputs = rest.iter_mut().zip(&each).map(|(output, each)| {
            // Values that are not divided can have any number of elements.
            let len = if count == images { output.len() } else { count * each };
            let own;
            (own, *output) = std::mem::take(output).split_at_mut(len);
            own
        });
        Group { images: count, input: own, outputs: outputs.collect() }
    };
    jobs.iter().map(|job| job.iter().map(|count| cut(*count)).collect()).collect()
}

/// Divides images into groups, and the groups among threads. A single job is shared by all threads.
fn divide(images: usize, threads: usize) -> Vec<Vec<usize>> {
    if images < threads || threads == 1 {
        return vec![groups(images, MOST_IMAGES)];
    }
    (0..threads).map(|i| groups(images * (i + 1) / threads - images * i / threads, MOST_IMAGES)).collect()
}

/// Divides images into groups of about equal size.
fn groups(images: usize, most: usize) -> Vec<usize> {
    let count = images.div_ceil(most).max(1);
    (0..count).map(|i| images * (i + 1) / count - images * i / count).collect()
}

/// Returns whether the wanted values of a batch are those of its images one after the other, and no operation adds or compares
/// values of different images.
fn divides(graph: &Graph, shape: &[usize], wanted: &[NodeId]) -> bool {
    let with = |images: usize| graph.shapes(&[&[images], shape.get(1..).unwrap_or_default()].concat());
    // Some ONNX files accept batches of one size only.
    let (Ok(one), Ok(two)) = (with(1), with(2)) else { return false };
    let batch = |i: usize| -> Vec<usize> { (0..one[i].len()).filter(|&d| one[i][d] != two[i][d]).collect() };
    let leads = wanted.iter().all(|id| batch(id.index()) == [0]);
    let mixes = graph.nodes().iter().any(|node| {
        let batch = node.inputs.first().map(|id| batch(id.index())).unwrap_or_default();
        match &node.op {
            Op::Reduce(reduce) => reduce.dims.iter().any(|dim| batch.contains(dim)),
            Op::Softmax | Op::LayerNorm { .. } | Op::Linear { .. } => {
                let rank = node.inputs.first().map_or(0, |id| one[id.index()].len());
                batch.contains(&rank.wrapping_sub(1))
            }
            Op::Concat { dim } | Op::Roll { dim, .. } | Op::Narrow { dim, .. } | Op::Select { dim, .. } => {
                batch.contains(dim)
            }
            Op::IndexSelect { dim, .. } => batch.contains(dim),
            Op::Pad(pad) => batch.contains(&pad.dim),
            _ => false,
        }
    });
    leads && !mixes
}
