//! Checkpoints of torch: a pickle of what was saved, and beside it the storages in which its tensors lie.

use super::Stored;
use super::pickle::{Node, Pickle};
use candle_core::DType;
use std::collections::{HashMap, HashSet};

/// Where the storages lie: by key, the offset in the file and the length, in bytes.
pub(super) type Storages = HashMap<String, (u64, u64)>;

/// A storage as the pickle describes it.
pub(super) struct Storage<'a> {
    pub(super) key: &'a str,
    /// Bytes of an element.
    pub(super) size: usize,
    /// `None` for what no weights are made of.
    dtype: Option<DType>,
    /// Elements to skip: it may be a view into another.
    offset: usize,
}

/// The storage that `('storage', type, key, location, elements, view)` describes.
pub(super) fn storage(pickle: &Pickle, id: usize) -> Option<Storage<'_>> {
    let (kind, class, key, rest) = match pickle.items(id)? {
        [kind, class, key, _, _, rest @ ..] => (pickle.text(*kind)?, *class, pickle.text(*key)?, rest),
        _ => return None,
    };
    let Node::Name(class) = pickle.node(class) else { return None };
    let (dtype, size) = match class.rsplit_once('.')?.1 {
        "FloatStorage" => (Some(DType::F32), 4),
        "HalfStorage" => (Some(DType::F16), 2),
        "BFloat16Storage" => (Some(DType::BF16), 2),
        "DoubleStorage" => (Some(DType::F64), 8),
        "LongStorage" | "ComplexFloatStorage" => (None, 8),
        "IntStorage" | "QInt32Storage" => (None, 4),
        "ShortStorage" => (None, 2),
        "ComplexDoubleStorage" => (None, 16),
        _ => (None, 1),
    };
    // Before torch 1.0: (key, offset, size) of a view.
    let view = rest.first().and_then(|&view| pickle.items(view));
    let offset = view.and_then(|view| pickle.size(*view.get(1)?)).unwrap_or(0);
    (kind == "storage").then_some(Storage { key, size, dtype, offset })
}

/// Where training scripts keep the weights, the averaged ones first, as timm has it.
const KEPT_UNDER: [&str; 14] = [
    "state_dict_ema",
    "model_ema",
    "ema",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "teacher",
    "net",
    "network",
    "params",
    "weights",
    "module",
    "state",
];

/// The tensors of floating-point numbers among what was saved: those of the dictionary itself, of the one under a
/// customary name, or, of a whole module, those in it and in its parts. All else (optimizers, settings) is left.
pub(super) fn tensors(pickle: &Pickle, storages: &Storages) -> Result<Vec<Stored>, String> {
    let mut place = pickle.root();
    for _ in 0..4 {
        let members = members(pickle, place);
        if members.iter().any(|&(_, value)| tensor_call(pickle, value).is_some()) {
            break;
        }
        let under = KEPT_UNDER.iter().find_map(|key| {
            let (_, value) = members.iter().rev().find(|(name, _)| pickle.text(*name) == Some(key))?;
            (!self::members(pickle, *value).is_empty()).then_some(*value)
        });
        match under {
            Some(under) => place = under,
            None => break,
        }
    }
    let is_module = matches!(pickle.node(place), Node::Object { state: Some(_), entries, .. } if entries.is_empty());
    let mut tensors = Vec::new();
    let mut met = HashSet::from([place]);
    let mut ahead = vec![(String::new(), place)];
    while let Some((prefix, place)) = ahead.pop() {
        for (key, value) in members(pickle, place) {
            let Some(key) = pickle.text(key) else { continue };
            if let Some(call) = tensor_call(pickle, value) {
                tensors.extend(tensor(pickle, storages, format!("{prefix}{key}"), call)?);
            } else if is_module && met.insert(value) {
                // Modules keep theirs in dictionaries of these names, which are no part of a weight's name.
                let inner = ["_parameters", "_buffers", "_modules"].contains(&key);
                let prefix = if inner { prefix.clone() } else { format!("{prefix}{key}.") };
                ahead.push((prefix, value));
            }
        }
    }
    match tensors.is_empty() {
        true => Err(format!("there are no tensors at its top, nor under \"{}\"", KEPT_UNDER.join("\", \""))),
        false => Ok(tensors),
    }
}

/// Entries of a dictionary, in order, or attributes of an object.
fn members(pickle: &Pickle, place: usize) -> Vec<(usize, usize)> {
    let mut members = pickle.entries(place).unwrap_or_default().to_vec();
    // An OrderedDict of Python 2 is made from a list of pairs.
    if let Some(("collections.OrderedDict", [pairs])) = pickle.call(place) {
        let pair = |&pair: &usize| pickle.items(pair)?.try_into().ok().map(|[key, value]: [usize; 2]| (key, value));
        members.extend(pickle.items(*pairs).unwrap_or_default().iter().filter_map(pair));
    }
    if let (true, Node::Object { state: Some(state), .. }) = (members.is_empty(), pickle.node(place)) {
        members.extend(pickle.entries(*state).unwrap_or_default());
    }
    members
}

/// The arguments of the call that would make a tensor: storage, offset, size, strides.
fn tensor_call(pickle: &Pickle, mut place: usize) -> Option<&[usize]> {
    // A parameter is a tensor within a call, seldom within two.
    for _ in 0..4 {
        let (function, arguments) = pickle.call(place)?;
        match (function, arguments) {
            ("torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2", [_, _, _, _, ..]) => {
                return Some(arguments);
            }
            ("torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state", [data, ..]) => {
                place = *data;
            }
            ("torch._tensor._rebuild_from_type_v2", [function, _, arguments, ..]) => {
                let Node::Name(function) = pickle.node(*function) else { return None };
                return function.starts_with("torch._utils._rebuild_tensor").then(|| pickle.items(*arguments))?;
            }
            _ => return None,
        }
    }
    None
}

/// One tensor; `None` if it is not of floating-point numbers.
fn tensor(pickle: &Pickle, storages: &Storages, name: String, call: &[usize]) -> Result<Option<Stored>, String> {
    let damaged = || format!("its pickle is damaged: {name:?} is described wrongly");
    let &[id, offset, shape, strides, ..] = call else { return Err(damaged()) };
    let Node::Persistent(id) = pickle.node(id) else { return Err(damaged()) };
    let Storage { key, size, dtype, offset: view } = storage(pickle, *id).ok_or_else(damaged)?;
    let Some(dtype) = dtype else { return Ok(None) };
    let &(from, bytes) =
        storages.get(key).ok_or_else(|| format!("it lacks the values of {name:?}; get the file again"))?;
    let sizes = |place| pickle.items(place)?.iter().map(|&size| pickle.size(size)).collect::<Option<Vec<_>>>();
    let offset = pickle.size(offset).and_then(|offset| offset.checked_add(view)).ok_or_else(damaged)?;
    let (shape, strides) = (sizes(shape).ok_or_else(damaged)?, sizes(strides).ok_or_else(damaged)?);
    let elements = usize::try_from(bytes / size as u64).map_err(|error| error.to_string())?;
    Stored::within((from, elements), offset, (name, dtype, shape), Some(strides)).map(Some)
}
