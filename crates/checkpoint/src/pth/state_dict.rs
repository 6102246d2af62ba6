//! Finds the dict of a pickle that holds the network, whatever training scripts keep beside it and however deep.

use super::tensors::tensor;
use crate::choose_network::{self, StoredNetwork};
use crate::naming;
use crate::note::{Note, list};
use crate::pickle::{Id, Object, Pickle};
use std::collections::HashSet;

/// Dicts and lists in one another down to the network, at most.
const MAX_DEPTH: usize = 6;
/// Networks that are counted; a file may hold more.
const MAX_NETWORKS: usize = 16;

/// A dict or list, and the way to it: by number, so that long keys are never copied for each of many items.
struct Node {
    id: Id,
    depth: usize,
    /// The node that holds it and its key there; the root has none.
    parent: Option<(usize, Key)>,
}

#[derive(Clone, Copy)]
enum Key {
    Name(Id),
    Number(usize),
}

/// The dict from names to tensors, and a note where there were several.
///
/// # Errors
/// A sentence, when there is none, or several and nothing says which one is meant.
pub(super) fn find(pickle: &Pickle) -> Result<(Id, Option<Note>), String> {
    let nodes = containers(pickle);
    let (mut networks, mut largest) = (Vec::new(), None);
    for (number, node) in nodes.iter().enumerate() {
        let items = pickle.dict(node.id).unwrap_or_default();
        let named = items.iter().filter(|(_, value)| tensor(pickle, *value).is_some());
        let names: Vec<&str> = named.filter_map(|&(key, _)| pickle.text(key)).collect();
        if names.is_empty() {
            continue;
        }
        if largest.is_none_or(|(count, _)| names.len() > count) {
            largest = Some((names.len(), node.id));
        }
        if let Some(has_head) = naming::is_network(names.iter().copied())
            && networks.len() < MAX_NETWORKS
        {
            networks.push((node.id, StoredNetwork { path: path(pickle, &nodes, number), has_head }));
        }
    }
    if networks.is_empty() {
        // Not a BEiT, or a part of one: its names will tell.
        return largest.map(|(_, id)| (id, None)).ok_or_else(|| without_tensors(pickle));
    }
    let places: Vec<StoredNetwork> = networks.iter().map(|(_, place)| place.clone()).collect();
    let (taken, note) = choose_network::choose(&places)?;
    Ok((networks[taken].0, note))
}

/// Every dict and list that is reached through dicts and lists, the outermost first.
fn containers(pickle: &Pickle) -> Vec<Node> {
    let mut nodes = vec![Node { id: pickle.root, depth: 0, parent: None }];
    let mut seen = HashSet::from([pickle.root]);
    let mut next = 0;
    while let Some(node) = nodes.get(next) {
        let (id, depth) = (node.id, node.depth);
        let mut add = |value: Id, key: Key| {
            let container = matches!(pickle.get(value), Object::Dict(_) | Object::Sequence(_));
            if container && depth < MAX_DEPTH && seen.insert(value) {
                nodes.push(Node { id: value, depth: depth + 1, parent: Some((next, key)) });
            }
        };
        match pickle.get(id) {
            Object::Dict(items) => items.iter().for_each(|&(key, value)| add(value, Key::Name(key))),
            Object::Sequence(items) => {
                items.iter().enumerate().for_each(|(i, &value)| add(value, Key::Number(i)))
            }
            _ => {}
        }
        next += 1;
    }
    nodes
}

/// The names on the way to a node, outermost first.
fn path(pickle: &Pickle, nodes: &[Node], number: usize) -> Vec<String> {
    let (mut path, mut node) = (Vec::new(), &nodes[number]);
    while let Some((parent, key)) = node.parent {
        path.push(match key {
            Key::Number(number) => number.to_string(),
            Key::Name(key) => format!("{:.120}", pickle.text(key).unwrap_or("?")),
        });
        node = &nodes[parent];
    }
    path.reverse();
    path
}

fn without_tensors(pickle: &Pickle) -> String {
    match pickle.dict(pickle.root) {
        Some(items) => {
            let keys: Vec<String> =
                items.iter().filter_map(|&(key, _)| pickle.text(key)).map(str::to_owned).collect();
            format!(
                "expected tensors at the top or under a key such as `model` or `state_dict`, got keys {}",
                list(&keys)
            )
        }
        None => "it holds a Python object instead of a dict of tensors (save `model.state_dict()`)".into(),
    }
}
