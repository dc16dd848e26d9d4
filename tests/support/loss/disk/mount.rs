//! Why: programs need a folder to write to; this puts the lossy disk under one.
//!
//! Refuses: to leave a mount behind. What a killed run left is taken away by the next.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use fuser::{BackgroundSession, Config, MountOption, spawn_mount};

use super::image::Image;
use super::serve::{Server, Shared};
use super::state::State;

const NAME: &str = "ronggui-lossy";

/// A mounted disk that can lose its power.
pub struct LossyDisk {
    shared: Arc<Shared>,
    session: Option<BackgroundSession>,
    dir: PathBuf,
}

impl LossyDisk {
    /// Puts `image` under `dir`, an empty folder.
    pub fn mount(image: Image, dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let shared = Shared::new(State::new(image, SystemTime::now));
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::FSName(NAME.into()),
            MountOption::DefaultPermissions,
            MountOption::NoAtime,
        ];
        let session =
            spawn_mount(Server::new(Arc::clone(&shared)), dir, &config).with_context(|| {
                format!(
                    "cannot mount a file system at {}; this trial needs root and /dev/fuse, or \
                     Debian's fuse3",
                    dir.display()
                )
            })?;
        Ok(Self { shared, session: Some(session), dir: dir.to_owned() })
    }

    /// Where it is mounted.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Changes and syncs so far.
    pub fn steps(&self) -> u64 {
        self.shared.state().steps()
    }

    /// The power goes now: from here on every change and every sync fails.
    pub fn cut(&self) {
        self.shared.state().cut();
        self.shared.tell();
    }

    /// The power goes instead of the `steps`-th change or sync from now.
    pub fn cut_after(&self, steps: u64) {
        self.shared.state().cut_after(steps);
    }

    /// Waits until the power is gone; false when it is still there after `patience`.
    pub fn wait_for_cut(&self, patience: Duration) -> bool {
        self.shared.wait_for_cut(patience)
    }

    /// Everything is synced, as after a long quiet time.
    pub fn settle(&self) {
        self.shared.state().settle();
    }

    /// Takes the disk away and answers what is on its platter. Whoever used it has to be gone.
    pub fn after_cut(mut self, rng: &mut fastrand::Rng) -> anyhow::Result<Image> {
        self.cut();
        let image = self.shared.state().after_cut(rng);
        self.unmount()?;
        Ok(image)
    }

    fn unmount(&mut self) -> anyhow::Result<()> {
        let Some(session) = self.session.take() else { return Ok(()) };
        // A program that was killed a moment ago may still hold a file.
        let detached = Command::new("umount").arg("--lazy").arg(&self.dir).output()?;
        anyhow::ensure!(
            detached.status.success(),
            "cannot unmount {}: {}",
            self.dir.display(),
            String::from_utf8_lossy(&detached.stderr)
        );
        // Ends as soon as the last file is closed.
        drop(session);
        Ok(())
    }
}

impl Drop for LossyDisk {
    fn drop(&mut self) {
        self.cut();
        // Best effort: the next run takes away what is left.
        let _ = self.unmount();
    }
}

/// Takes away what runs that were killed have left mounted: disks whose server is gone.
pub fn sweep() -> anyhow::Result<()> {
    for line in std::fs::read_to_string("/proc/self/mountinfo")?.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let dir = words.get(4).copied().unwrap_or_default();
        let dead = || {
            std::fs::metadata(dir)
                .is_err_and(|error| error.kind() == std::io::ErrorKind::NotConnected)
        };
        if words.contains(&NAME) && dead() {
            let _ = Command::new("umount").arg("--lazy").arg(dir).output();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs::{self, File, OpenOptions};
    use std::io::Write as _;

    use super::*;

    fn seeds() -> impl Iterator<Item = fastrand::Rng> {
        (0..30).map(fastrand::Rng::with_seed)
    }

    /// What is there after `work` and a cut, once per seed.
    fn after(work: impl Fn(&Path), look: impl Fn(&Path)) {
        let dir = tempfile::tempdir().unwrap();
        for mut rng in seeds() {
            let disk = LossyDisk::mount(Image::default(), dir.path()).unwrap();
            work(dir.path());
            let image = disk.after_cut(&mut rng).unwrap();
            let disk = LossyDisk::mount(image, dir.path()).unwrap();
            look(dir.path());
            drop(disk);
        }
    }

    fn write(path: &Path, sync: bool) {
        let mut file = File::create(path).unwrap();
        file.write_all(&vec![5; 300_000]).unwrap();
        if sync {
            file.sync_all().unwrap();
        }
    }

    fn sync(dir: &Path) {
        File::open(dir).unwrap().sync_all().unwrap();
    }

    #[test]
    fn what_is_synced_with_its_folder_is_there_and_what_is_not_may_be_gone() {
        let (lost, torn, kept) = (Cell::new(0), Cell::new(0), Cell::new(0));
        after(
            |dir| {
                write(&dir.join("safe"), true);
                sync(dir);
                write(&dir.join("unsynced"), false);
            },
            |dir| {
                assert_eq!(fs::read(dir.join("safe")).unwrap(), vec![5; 300_000]);
                match fs::read(dir.join("unsynced")) {
                    Err(_) => lost.set(lost.get() + 1),
                    Ok(bytes) if bytes == vec![5; 300_000] => kept.set(kept.get() + 1),
                    Ok(_) => torn.set(torn.get() + 1),
                }
            },
        );
        let counts = (lost.get(), torn.get(), kept.get());
        assert!(counts.0 > 0 && counts.1 > 0 && counts.2 > 0, "{counts:?}");
    }

    #[test]
    fn the_order_of_writes_that_the_queue_keeps_loses_nothing_and_without_one_step_it_does() {
        // The steps: sync the file, sync the folder.
        for (file_synced, folder_synced, safe) in
            [(true, true, true), (true, false, false), (false, true, false)]
        {
            let lost = Cell::new(0);
            after(
                |dir| {
                    fs::create_dir(dir.join("spool")).unwrap();
                    sync(dir);
                    let part = dir.join("spool/a.part");
                    write(&part, file_synced);
                    fs::rename(&part, dir.join("spool/a.sealed")).unwrap();
                    if folder_synced {
                        sync(&dir.join("spool"));
                    }
                },
                |dir| {
                    let found = fs::read(dir.join("spool/a.sealed")).unwrap_or_default();
                    lost.set(lost.get() + usize::from(found != vec![5; 300_000]));
                },
            );
            assert_eq!(lost.get() == 0, safe, "{file_synced} {folder_synced}: {}", lost.get());
        }
    }

    #[test]
    fn a_database_on_it_keeps_every_committed_row_through_cuts_at_any_step() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = fastrand::Rng::with_seed(7);
        let mut image = Image::default();
        let mut promised: i64 = 0;
        for _ in 0..20 {
            let disk = LossyDisk::mount(image, dir.path()).unwrap();
            disk.cut_after(rng.u64(1..120));
            let mut insert = || -> rusqlite::Result<()> {
                let database = rusqlite::Connection::open(dir.path().join("a.db"))?;
                database.pragma_update(None, "journal_mode", "WAL")?;
                database.pragma_update(None, "synchronous", "FULL")?;
                database.execute_batch("CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY)")?;
                let count = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
                let found: i64 = database.query_row("SELECT count(*) FROM t", [], count)?;
                assert!(found >= promised, "{found} of {promised}");
                promised = found;
                loop {
                    database.execute("INSERT INTO t DEFAULT VALUES", [])?;
                    promised += 1;
                }
            };
            insert().expect_err("the power went");
            image = disk.after_cut(&mut rng).unwrap();
        }
        assert!(promised > 20, "{promised}");
    }

    #[test]
    fn files_are_what_programs_expect_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LossyDisk::mount(Image::default(), dir.path()).unwrap();
        let path = dir.path().join("a");
        write(&path, false);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(10).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [5; 10]);
        file.set_len(12).unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0, 0]);
        fs::create_dir_all(dir.path().join("b/c")).unwrap();
        for number in 0..500 {
            fs::write(dir.path().join(format!("b/c/{number}")), b"x").unwrap();
        }
        assert_eq!(fs::read_dir(dir.path().join("b/c")).unwrap().count(), 500);
        assert!(fs::remove_dir(dir.path().join("b")).is_err(), "it is not empty");
        fs::rename(&path, dir.path().join("b/c/a")).unwrap();
        assert!(!path.exists() && dir.path().join("b/c/a").exists());
        assert!(
            OpenOptions::new().write(true).create_new(true).open(dir.path().join("b/c/1")).is_err()
        );
        let open = File::open(dir.path().join("b/c/a")).unwrap();
        fs::remove_file(dir.path().join("b/c/a")).unwrap();
        assert_eq!(open.metadata().unwrap().len(), 12, "open without a name");
        assert!(disk.steps() > 1000);
        disk.cut();
        assert!(fs::write(dir.path().join("d"), b"x").is_err());
        assert!(fs::remove_file(dir.path().join("b/c/1")).is_err());
    }
}
