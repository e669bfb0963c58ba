//! `DATA_DIR`: what a developer's machine keeps, for its owner only.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use xmas_texts::{Text, start};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// How the names of all files begin that the program makes here: the database with what SQLite puts
/// beside it, and the generated secrets.
const OUR_FILES: [&str; 3] = ["xmas.db", "dev-jwt-secret", "dev-data-key"];

/// Makes the folder if it is not there, and takes it and its files from everybody but their owner:
/// what earlier versions made could be read by others.
///
/// A folder with anything else in it is somebody's folder for other things too, such as `/tmp`, and
/// stays as it is; our files in it are taken from the others all the same.
///
/// # Errors
/// The folder cannot be made, or belongs to somebody else.
pub fn prepare(folder: &Path) -> Result<(), Text> {
    let prepared = make(folder).and_then(|()| restrict_all(folder));
    prepared
        .map_err(|error| start::data_dir_unusable(folder.display().to_string(), error.to_string()))
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
}

fn restrict_all(folder: &Path) -> io::Result<()> {
    let mut is_ours = true;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !OUR_FILES.iter().any(|ours| name.starts_with(ours)) {
            // Such as .gitkeep or .DS_Store.
            is_ours &= name.starts_with('.');
        } else if entry.file_type()?.is_file() {
            restrict(&entry.path(), FILE_MODE)?;
        }
    }
    if is_ours {
        restrict(folder, FOLDER_MODE)?;
    }
    Ok(())
}

/// Takes from a file's permissions what is not in `mode`. SQLite may delete a file meanwhile.
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    let restricted = fs::metadata(path).and_then(|metadata| {
        let now = metadata.permissions().mode() & 0o7777;
        if now & !mode == 0 {
            return Ok(());
        }
        fs::set_permissions(path, Permissions::from_mode(now & mode))
    });
    match restricted {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        restricted => restricted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_folder_is_its_owner_s() {
        let home = tempfile::TempDir::new().unwrap();
        let folder = home.path().join("new").join("data");
        prepare(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn what_an_earlier_version_made_is_taken_from_the_others() {
        let folder = tempfile::TempDir::new().unwrap();
        let folder = folder.path();
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        let names = [
            "xmas.db",
            "xmas.db-wal",
            "xmas.db-shm",
            "dev-data-key",
            ".gitkeep",
        ];
        for name in names {
            fs::write(folder.join(name), "").unwrap();
            fs::set_permissions(folder.join(name), Permissions::from_mode(0o644)).unwrap();
        }
        prepare(folder).unwrap();
        assert_eq!(mode(folder), 0o700);
        for name in &names[..4] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(&folder.join(".gitkeep")), 0o644);
    }

    #[test]
    fn a_folder_for_other_things_too_stays_as_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let folder = folder.path();
        let (ours, other) = (folder.join("xmas.db"), folder.join("thesis.txt"));
        for path in [&ours, &other] {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }
        fs::set_permissions(folder, Permissions::from_mode(0o1777)).unwrap();
        prepare(folder).unwrap();
        assert_eq!(mode(folder), 0o777);
        assert_eq!((mode(&ours), mode(&other)), (0o600, 0o644));
    }
}
