//! Why: full disks are tried on a real file system that is really full: a small ext4 in a file.
//!
//! Refuses: to fill anybody's own disk, and to leave a mount behind.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// A mounted ext4 of its own.
pub struct SmallDisk {
    dir: PathBuf,
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command
        .output()
        .with_context(|| format!("cannot run {name}; this trial needs Debian's e2fsprogs"))?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(done.status.success(), "{name} failed: {}", said.trim());
    Ok(())
}

impl SmallDisk {
    /// Makes and mounts one of `megabytes` under `dir`.
    pub fn make(dir: &Path, megabytes: u64) -> anyhow::Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "a full disk is tried on a file system of its own, and only root may mount one; run \
             this test as root (it is not skipped: what it proves would be unproved)"
        );
        let image = dir.join("small.ext4");
        File::create(&image)?.set_len(megabytes << 20)?;
        // Blocks as on a disk of the usual size. With the smaller ones that so small a disk would
        // get, a database's shared memory has holes that a full disk cannot fill: the kernel ends
        // the program (SIGBUS), which no terminal's disk can bring about.
        let blocks = ["-q", "-m", "0", "-b", "4096", "-O", "^resize_inode"];
        run(Command::new("mkfs.ext4").args(blocks).arg(&image))?;
        let dir = dir.join("small");
        std::fs::create_dir_all(&dir)?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&dir))?;
        Ok(Self { dir })
    }

    /// Where it is mounted.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Free bytes.
    pub fn free(&self) -> anyhow::Result<u64> {
        let stat = rustix::fs::statvfs(&self.dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Takes room away with a file of no use, so that about `left` bytes are free.
    pub fn leave(&self, left: u64) -> anyhow::Result<()> {
        let blocks = self.free()?.saturating_sub(left) >> 16;
        let mut file = File::options().create(true).append(true).open(self.filler())?;
        for _ in 0..blocks {
            file.write_all(&vec![0xa5; 1 << 16])?;
        }
        Ok(file.sync_all()?)
    }

    /// Fills it to the last byte.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::options().create(true).append(true).open(self.filler())?;
        for block in [1 << 16, 512] {
            let block = vec![0xa5; block];
            loop {
                match file.write_all(&block) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(file.sync_all()?)
    }

    /// Takes that file away.
    pub fn unfill(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Best effort: detached now, gone with its last open file.
        let _ = Command::new("umount").arg("--lazy").arg(&self.dir).output();
    }
}
