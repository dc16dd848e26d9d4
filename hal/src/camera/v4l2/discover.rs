//! Why: a camera is named in the device profile by something that survives a restart. This lists
//! what there is: by make and serial number, else by the port it is plugged into, else by the
//! number of its node, which is better than nothing.
//!
//! Refuses: to list what takes no pictures. Each UVC camera has a second node for metadata, and a
//! board has decoders; and one camera is listed once, under its best name.

use super::device_error;
use crate::camera::CameraError;
use crate::contract::{Discovery, Recoverable as _};
use linuxvideo::{CapabilityFlags, Device};
use std::path::{Path, PathBuf};

/// What a node turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Camera,
    Other,
    Forbidden,
}

/// The cameras of this machine by their best names.
pub fn discover() -> Vec<Discovery> {
    discover_in(Path::new("/dev"), &ask)
}

fn ask(path: &Path) -> Node {
    let device = Device::open(path).and_then(|device| device.capabilities());
    match device {
        Ok(found) => {
            let abilities = found.device_capabilities();
            if abilities.contains(CapabilityFlags::VIDEO_CAPTURE) {
                Node::Camera
            } else {
                Node::Other
            }
        }
        Err(error) => match device_error(&error, path) {
            CameraError::NoPermission(_) => Node::Forbidden,
            // In use or failing, but a node of the video class: whoever looks for a camera wants
            // to see it.
            CameraError::InUse(_) | CameraError::Io(_) => Node::Camera,
            _ => Node::Other,
        },
    }
}

fn discover_in(dev: &Path, ask: &dyn Fn(&Path) -> Node) -> Vec<Discovery> {
    let mut listed: Vec<PathBuf> = Vec::new();
    let mut found = Vec::new();
    let places = [dev.join("v4l/by-id"), dev.join("v4l/by-path"), dev.to_path_buf()];
    for (at, place) in places.iter().enumerate() {
        for path in entries(place) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let numbered = name.strip_prefix("video").is_some_and(is_number);
            // Beside cameras, `/dev` holds everything else.
            if at == 2 && !numbered {
                continue;
            }
            let Ok(node) = std::fs::canonicalize(&path) else { continue };
            if listed.contains(&node) {
                continue;
            }
            // A node that may not be opened cannot be asked; its name tells the second one apart.
            let found_here = match ask(&path) {
                Node::Other => None,
                Node::Forbidden if is_metadata(&name) => None,
                Node::Forbidden => Some(Discovery::NoPermission {
                    cure: CameraError::NoPermission(path.clone()).cure().to_owned(),
                    path,
                }),
                Node::Camera => Some(Discovery::Found {
                    description: name_in_sysfs(&node).unwrap_or_else(|| "camera".to_owned()),
                    path,
                }),
            };
            listed.push(node);
            found.extend(found_here);
        }
    }
    if found.is_empty() {
        let looked_for = format!("a camera in {} and below v4l", dev.display());
        return vec![Discovery::Absent { looked_for }];
    }
    found
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// UVC names its nodes `…-video-index0` for pictures and `…-video-index1` for metadata.
fn is_metadata(name: &str) -> bool {
    name.rsplit_once("-index").is_some_and(|(_, index)| index != "0")
}

fn entries(place: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(place)
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
        .unwrap_or_default();
    found.sort();
    found
}

fn name_in_sysfs(node: &Path) -> Option<String> {
    let folder = Path::new("/sys/class/video4linux").join(node.file_name()?);
    let name = std::fs::read(folder.join("name")).ok()?;
    Some(String::from_utf8_lossy(&name).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Two cameras of one make without serial numbers, a decoder, and a camera without any link.
    fn machine() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let dev = dir.path();
        for folder in ["v4l/by-id", "v4l/by-path"] {
            std::fs::create_dir_all(dev.join(folder)).unwrap();
        }
        for node in
            ["video0", "video1", "video2", "video3", "video10", "video4", "videodev", "null"]
        {
            std::fs::write(dev.join(node), "").unwrap();
        }
        for (link, node) in [
            ("v4l/by-id/usb-Make_Cam-video-index0", "video0"),
            ("v4l/by-id/usb-Make_Cam-video-index1", "video1"),
            ("v4l/by-path/pci-usb-0:1:1.0-video-index0", "video0"),
            ("v4l/by-path/pci-usb-0:1:1.0-video-index1", "video1"),
            ("v4l/by-path/pci-usb-0:2:1.0-video-index0", "video2"),
            ("v4l/by-path/pci-usb-0:2:1.0-video-index1", "video3"),
            ("v4l/by-path/pci-usb-0:9:1.0-video-index0", "video99"),
        ] {
            symlink(dev.join(node), dev.join(link)).unwrap();
        }
        dir
    }

    fn node(path: &Path) -> String {
        let node = std::fs::canonicalize(path).unwrap();
        node.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn names(found: &[Discovery]) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        found
            .iter()
            .map(|found| match found {
                Discovery::Found { path, .. } => name(path),
                Discovery::NoPermission { path, .. } => format!("forbidden {}", name(path)),
                Discovery::Absent { .. } => "absent".to_owned(),
            })
            .collect()
    }

    #[test]
    fn each_camera_is_listed_once_under_its_best_name() {
        let dir = machine();
        let found = discover_in(dir.path(), &|path| match node(path).as_str() {
            "video0" | "video2" | "video10" => Node::Camera,
            _ => Node::Other,
        });
        assert_eq!(
            names(&found),
            ["usb-Make_Cam-video-index0", "pci-usb-0:2:1.0-video-index0", "video10"]
        );
    }

    #[test]
    fn a_camera_without_permission_is_told_and_its_metadata_is_not() {
        let dir = machine();
        let found = discover_in(dir.path(), &|path| match node(path).as_str() {
            "video0" | "video1" => Node::Forbidden,
            _ => Node::Other,
        });
        assert_eq!(names(&found), ["forbidden usb-Make_Cam-video-index0"]);
        let [Discovery::NoPermission { cure, .. }] = found.as_slice() else { panic!() };
        assert!(cure.contains("group video"));
    }

    #[test]
    fn a_machine_without_cameras_says_what_was_looked_for() {
        let found = discover_in(Path::new("/nonexistent"), &|_| Node::Camera);
        assert!(matches!(found.as_slice(), [Discovery::Absent { .. }]));
        let dir = machine();
        assert_eq!(names(&discover_in(dir.path(), &|_| Node::Other)), ["absent"]);
    }

    #[test]
    fn what_is_no_video_node_is_no_camera() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(ask(file.path()), Node::Other);
        assert_eq!(ask(Path::new("/nonexistent")), Node::Other);
    }
}
