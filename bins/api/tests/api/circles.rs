//! Files of a crate use each other in one direction: whoever reads one knows what to read before it. Relations
//! between ORM entities, which name each other, are the exception.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, File, Item, UseTree,
    visit::{self, Visit},
};

use crate::structure::folders;

type Module = Vec<String>;

/// One source file: what it is called in its crate, and what stands in it.
struct Source {
    path: PathBuf,
    file: File,
}

/// A name that a module only passes on, and the path that it stands for.
type Reexports = BTreeMap<(Module, String), Vec<String>>;

#[test]
fn no_files_of_a_crate_use_each_other_in_a_circle() {
    let folders = folders().into_iter();
    let circles: Vec<String> = folders
        .flat_map(|(_, folder)| circles_of(&read(&folder.join("src"))))
        .collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found_and_a_name_in_passing_is_none() {
    let file = |text: &str| Source {
        path: PathBuf::new(),
        file: syn::parse_str(text).unwrap(),
    };
    let module = |name: &str| -> Module { name.split("::").map(str::to_owned).collect() };
    let lib = "mod a; mod b; pub use a::A; pub use b::B;";
    let of = |a: &str, b: &str| {
        let files = [(vec![], lib), (module("a"), a), (module("b"), b)];
        circles_of(&files.map(|(name, text)| (name, file(text))).into())
    };
    // Through the door of the crate it is the same circle.
    assert_eq!(
        of("use crate::b::B; struct A;", "use crate::A; struct B;").len(),
        1
    );
    assert_eq!(
        of("use super::B; struct A;", "fn b() { super::a::f() }").len(),
        1
    );
    assert_eq!(of("use crate::B; struct A;", "struct B;").len(), 0);
    let tests = "struct B; #[cfg(test)] mod tests { use crate::A; }";
    assert_eq!(of("use crate::B; struct A;", tests).len(), 0);
}

fn read(src: &Path) -> BTreeMap<Module, Source> {
    fn walk(folder: &Path, module: &Module, found: &mut BTreeMap<Module, Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let mut inner = module.clone();
            if path.is_dir() {
                inner.push(name);
                walk(&path, &inner, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                if !matches!(name.as_str(), "lib" | "main" | "mod") {
                    inner.push(name);
                }
                let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
                found.insert(inner, Source { path, file });
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(src, &Module::new(), &mut found);
    found
}

fn circles_of(sources: &BTreeMap<Module, Source>) -> Vec<String> {
    let mut reexports = Reexports::new();
    for (module, source) in sources {
        for item in &source.file.items {
            let Item::Use(item) = item else { continue };
            if matches!(item.vis, syn::Visibility::Inherited) {
                continue;
            }
            for path in leaves(&item.tree) {
                let Some((name, _)) = path.split_last() else {
                    continue;
                };
                let path = absolute(module, &path, sources);
                if file_of(&path, sources).is_some_and(|from| from != *module) {
                    reexports.insert((module.clone(), name.clone()), path);
                }
            }
        }
    }
    let mut uses: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, source) in sources {
        let mut paths = Paths::default();
        paths.visit_file(&source.file);
        let targets = paths
            .found
            .iter()
            .filter_map(|path| home_of(absolute(module, path, sources), &reexports, sources));
        let is_entity = |module: &Module| module.iter().any(|part| part == "entity");
        let others = targets.filter(|target| target != module);
        let others = others.filter(|target| !(is_entity(module) && is_entity(target)));
        uses.insert(module, others.collect());
    }
    let mut circles = Vec::new();
    for (module, direct) in &uses {
        for other in direct.iter().filter(|other| module < other) {
            if reaches(&uses, other, module) {
                let path = |module: &Module| sources[module].path.display().to_string();
                circles.push(format!("{} <-> {}", path(module), path(other)));
            }
        }
    }
    circles
}

fn reaches(uses: &BTreeMap<&Module, BTreeSet<Module>>, from: &Module, to: &Module) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            next.extend(uses.get(module).into_iter().flatten());
        }
    }
    false
}

/// A path from the root of the crate; empty if it leads out of the crate.
fn absolute(module: &Module, path: &[String], sources: &BTreeMap<Module, Source>) -> Vec<String> {
    let mut at = module.clone();
    let mut rest = path;
    match path.first().map(String::as_str) {
        Some("crate") => (at, rest) = (Module::new(), &path[1..]),
        Some("self") => rest = &path[1..],
        Some("super") => {
            while let Some((_, behind)) = rest.split_first().filter(|(part, _)| *part == "super") {
                at.pop();
                rest = behind;
            }
        }
        Some(name) => {
            let mut child = module.clone();
            child.push(name.to_owned());
            if !sources.contains_key(&child) {
                return vec![String::new()];
            }
        }
        None => {}
    }
    at.extend(rest.iter().cloned());
    at
}

/// The file in which something stands, through whatever doors it is known.
fn home_of(
    mut path: Vec<String>,
    reexports: &Reexports,
    sources: &BTreeMap<Module, Source>,
) -> Option<Module> {
    loop {
        let file = file_of(&path, sources)?;
        let name = path.get(file.len()).cloned().unwrap_or_default();
        match reexports.get(&(file.clone(), name)) {
            Some(behind) if *behind != path => path = behind.clone(),
            _ => return Some(file),
        }
    }
}

/// The file in which a path ends.
fn file_of(path: &[String], sources: &BTreeMap<Module, Source>) -> Option<Module> {
    if path.first().is_some_and(String::is_empty) {
        return None;
    }
    let lengths = (0..=path.len()).rev();
    let mut files = lengths.map(|length| path[..length].to_vec());
    files.find(|file| sources.contains_key(file))
}

/// Every path that a file names outside of its tests, but for what it only passes on.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        let is_test = attributes.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
        });
        if !is_test {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.found.extend(leaves(&item.tree));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        let parts: Vec<String> = parts.collect();
        // A single word is a name of this file, or one that it has imported.
        if parts.len() > 1 {
            self.found.push(parts);
        }
        visit::visit_path(self, path);
    }
}

/// `a::{b, c}` as `a::b` and `a::c`.
fn leaves(tree: &UseTree) -> Vec<Vec<String>> {
    let below = |name: String, inner: Vec<Vec<String>>| -> Vec<Vec<String>> {
        let longer = inner.into_iter().map(|mut path| {
            path.insert(0, name.clone());
            path
        });
        longer.collect()
    };
    match tree {
        UseTree::Path(path) => below(path.ident.to_string(), leaves(&path.tree)),
        UseTree::Name(name) if name.ident == "self" => vec![Vec::new()],
        UseTree::Name(name) => vec![vec![name.ident.to_string()]],
        UseTree::Rename(name) if name.ident == "self" => vec![Vec::new()],
        UseTree::Rename(name) => vec![vec![name.ident.to_string()]],
        UseTree::Glob(_) => vec![Vec::new()],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}
