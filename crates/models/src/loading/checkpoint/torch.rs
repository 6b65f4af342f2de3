//! The content of torch checkpoints: a pickle of the saved object, and the storages that hold the elements of its
//! tensors.

use super::Table;
use super::stored::StoredTensor;
use candle_core::DType;
use hard_imagenet_pickle::Value;
use std::collections::{HashMap, HashSet};

/// The storages by key: offset in the file and length, in bytes.
pub(super) type Storages = HashMap<String, (u64, u64)>;

/// A storage, as the pickle describes it.
pub(super) struct Storage<'a> {
    pub(super) key: &'a str,
    /// The bytes of an element.
    pub(super) size: usize,
    /// The type of the elements, or `None` for types that weights do not have.
    dtype: Option<DType>,
    /// The number of elements to skip, if this is a view of another storage.
    offset: usize,
}

/// Returns the storage that the tuple `('storage', type, key, location, elements, view)` describes.
pub(super) fn storage(id: Value<'_>) -> Option<Storage<'_>> {
    let parts: Vec<_> = id.items()?.collect();
    let [kind, class, key, _, _, rest @ ..] = &parts[..] else { return None };
    let (kind, class, key) = (kind.as_text()?, class.as_name()?, key.as_text()?);
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
    // Before torch 1.0, a view is described by (key, offset, size).
    let view = rest.first().and_then(|view| view.items());
    let offset = view.and_then(|mut view| size_of(view.nth(1)?)).unwrap_or(0);
    (kind == "storage").then_some(Storage { key, size, dtype, offset })
}

/// The keys under which training scripts save weights. Averaged weights come first, as in timm.
const WEIGHT_KEYS: [&str; 18] = [
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "shadow",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "teacher",
    "student",
    "net",
    "network",
    "params",
    "weights",
    "module",
    "state",
    "backbone",
];

/// The number of dictionaries that weights may lie inside one another.
const DEEPEST: usize = 5;

/// The largest number of dimensions that torch supports.
const MOST_DIMENSIONS: usize = 64;

/// Returns the table of the floating-point tensors in a saved object: those of the dictionary itself, of the dictionary
/// under one of [`WEIGHT_KEYS`], or of a whole module and its submodules. Optimizers and settings are ignored.
pub(super) fn table(saved: Value<'_>, storages: &Storages) -> Result<Table, String> {
    let Group { path, top, others } = find_weights(saved)?;
    let is_module = is_module(top);
    let mut table = Table { group: path, unused_groups: others, ..Table::default() };
    let mut met = HashSet::from([top.identity()]);
    let mut ahead = vec![(String::new(), top)];
    while let Some((prefix, place)) = ahead.pop() {
        for (key, value) in members(place) {
            let Some(key) = key.as_text() else { continue };
            if let Some(call) = tensor_call(value) {
                let name = format!("{prefix}{key}");
                match tensor(storages, &name, &call)? {
                    Some(stored) => table.tensors.push(stored),
                    None => table.others.push(name),
                }
            } else if is_module && met.insert(value.identity()) {
                // Modules hold their tensors and submodules in these dictionaries, which are not part of a weight's
                // name.
                let inner = MODULE_PARTS.contains(&key);
                let prefix = if inner { prefix.clone() } else { format!("{prefix}{key}.") };
                ahead.push((prefix, value));
            }
        }
    }
    match table.tensors.is_empty() {
        true => Err(without_tensors(saved)),
        false => Ok(table),
    }
}

/// The weights in a saved object.
struct Group<'a> {
    /// The keys that lead to them, joined by dots; empty at the top level.
    path: String,
    top: Value<'a>,
    /// The keys that lead to further weights.
    others: Vec<String>,
}

/// Finds the dictionary or module that holds the weights.
fn find_weights(saved: Value<'_>) -> Result<Group<'_>, String> {
    let mut group = Group { path: String::new(), top: saved, others: Vec::new() };
    for _ in 0..DEEPEST {
        if is_weights(group.top) {
            break;
        }
        let members = members(group.top);
        let known = |key: &'static str, is_weights: fn(Value<'_>) -> bool| {
            let &(_, value) = members.iter().rev().find(|(name, _)| name.as_text() == Some(key))?;
            leads_to(value, is_weights, DEEPEST, &mut HashSet::new()).then_some((key, value))
        };
        let mut found: Vec<(&str, Value<'_>)> = WEIGHT_KEYS.iter().filter_map(|key| known(key, is_weights)).collect();
        if found.is_empty() {
            // A key of the script's own is as good, if it is the only one.
            for &(name, value) in &members {
                let name = name.as_text().filter(|name| !name.to_lowercase().contains("optim"));
                found.extend(name.filter(|_| is_weights(value)).map(|name| (name, value)));
            }
            if found.len() > 1 {
                let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
                return Err(format!(
                    "it holds several dictionaries of weights, under \"{}\"; save the one that is meant to a file of \
                     its own",
                    names.join("\", \"")
                ));
            }
        }
        if found.is_empty() {
            found = WEIGHT_KEYS.iter().filter_map(|key| known(key, holds_tensors)).collect();
        }
        let Some(&(key, value)) = found.first() else { break };
        let place = |key: &str| if group.path.is_empty() { key.to_owned() } else { format!("{}.{key}", group.path) };
        group.others.extend(found[1..].iter().filter(|(_, v)| v.identity() != value.identity()).map(|(k, _)| place(k)));
        (group.path, group.top) = (place(key), value);
    }
    Ok(group)
}

/// Returns whether a value is a module, or a dictionary of tensors with names such as "layer1.0.conv1.weight". A tensor
/// without a dot in its name can also be a number next to the weights.
fn is_weights(value: Value<'_>) -> bool {
    let members = members(value);
    let is_part = |(key, _): &(Value<'_>, Value<'_>)| key.as_text().is_some_and(|key| MODULE_PARTS.contains(&key));
    let is_script = || value.call().is_some_and(|(class, _)| class.starts_with("__torch__."));
    let is_weight = |(key, value): &(Value<'_>, Value<'_>)| {
        key.as_text().is_some_and(|key| key.contains('.')) && tensor_call(*value).is_some()
    };
    is_module(value) && (is_script() || members.iter().any(is_part)) || members.iter().any(is_weight)
}

/// Returns whether a value is a dictionary with a tensor. The weights of a single layer have names without a dot.
fn holds_tensors(value: Value<'_>) -> bool {
    members(value).iter().any(|(key, value)| key.as_text().is_some() && tensor_call(*value).is_some())
}

/// Returns whether a value is, or holds under any of the known keys, what `is_wanted` accepts. `met` holds the values
/// that were looked at.
fn leads_to(value: Value<'_>, is_wanted: fn(Value<'_>) -> bool, depth: usize, met: &mut HashSet<usize>) -> bool {
    let is_known = |key: Value<'_>| key.as_text().is_some_and(|key| WEIGHT_KEYS.contains(&key));
    let is_new = met.insert(value.identity());
    let mut below = members(value).into_iter().filter(|(key, _)| depth > 0 && is_known(*key));
    is_new && (is_wanted(value) || below.any(|(_, value)| leads_to(value, is_wanted, depth - 1, met)))
}

/// Returns the error for an object without tensors.
fn without_tensors(saved: Value<'_>) -> String {
    let keys: Vec<String> =
        members(saved).iter().filter_map(|(key, _)| key.as_text()).take(8).map(|key| format!("{key:?}")).collect();
    let holds = if keys.is_empty() { String::new() } else { format!(", which holds {}", keys.join(", ")) };
    format!("there are no tensors at the top level{holds}, or under \"{}\"", WEIGHT_KEYS.join("\", \""))
}

/// The attributes of a module in which it holds its tensors and submodules.
const MODULE_PARTS: [&str; 3] = ["_parameters", "_buffers", "_modules"];

fn is_module(value: Value<'_>) -> bool {
    value.state().is_some() && value.entries().is_some_and(|mut entries| entries.next().is_none())
}

/// Returns the entries of a dictionary in order, or the attributes of an object.
fn members(value: Value<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    let members: Vec<_> = value.entries().into_iter().flatten().collect();
    if !members.is_empty() {
        return members;
    }
    value.state().and_then(Value::entries).into_iter().flatten().collect()
}

/// Returns the arguments of a call that makes a tensor: storage, offset, shape, strides, and others.
fn tensor_call(mut value: Value<'_>) -> Option<Vec<Value<'_>>> {
    // A parameter wraps its tensor in a call, and in rare cases in two.
    for _ in 0..4 {
        let (function, arguments) = value.call()?;
        let arguments: Vec<_> = arguments.collect();
        match (function, &arguments[..]) {
            ("torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2", [_, _, _, _, ..]) => {
                return Some(arguments);
            }
            ("torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state", [data, ..]) => {
                value = *data;
            }
            ("torch._tensor._rebuild_from_type_v2", [function, _, arguments, ..]) => {
                let rebuilds = function.as_name()?.starts_with("torch._utils._rebuild_tensor");
                return arguments.items().filter(|_| rebuilds).map(Iterator::collect);
            }
            _ => return None,
        }
    }
    None
}

/// Describes one tensor. Returns `None` if its elements are not floating-point numbers.
fn tensor(storages: &Storages, name: &str, call: &[Value<'_>]) -> Result<Option<StoredTensor>, String> {
    let damaged = || format!("the pickle is damaged: the description of {name:?} is invalid");
    let &[id, offset, shape, strides, ..] = call else { return Err(damaged()) };
    let Storage { key, size, dtype, offset: view } = id.persistent_id().and_then(storage).ok_or_else(damaged)?;
    let Some(dtype) = dtype else { return Ok(None) };
    let &(from, bytes) = storages
        .get(key)
        .ok_or_else(|| format!("the values of {name:?} are missing; download or copy the file again"))?;
    let sizes = |list: Value<'_>| {
        let items = list.items().filter(|items| items.len() <= MOST_DIMENSIONS)?;
        items.map(size_of).collect::<Option<Vec<_>>>()
    };
    // Torch stores the negation of a tensor as a mark next to its values.
    let marks = call.get(6).and_then(|marks| marks.entries()).into_iter().flatten();
    if marks.into_iter().any(|(mark, value)| mark.as_text() == Some("neg") && value.as_bool() == Some(true)) {
        return Err(format!("{name:?} is stored as the negation of its values; save a clone of it"));
    }
    let offset = size_of(offset).and_then(|offset| offset.checked_add(view)).ok_or_else(damaged)?;
    let (shape, strides) = (sizes(shape).ok_or_else(damaged)?, sizes(strides).ok_or_else(damaged)?);
    let elements = usize::try_from(bytes / size as u64).map_err(|error| error.to_string())?;
    StoredTensor::within((from, elements), offset, (name.to_owned(), dtype, shape), Some(strides)).map(Some)
}

/// Returns the integer, if it is not negative.
fn size_of(value: Value<'_>) -> Option<usize> {
    usize::try_from(value.as_int()?).ok()
}
