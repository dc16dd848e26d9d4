"""Opens a sealed submission. Written from docs/sealed-submission.md; needs pyhpke.

usage: open.py FILE.sealed RECIPIENT-SECRET.json OUT-FOLDER
"""
import hashlib, io, json, pathlib, re, sys, tarfile
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

CONTEXT = b"ronggui/submission/v1"
CHUNK, TAG, LAST = 65536, 16, 1 << 31
SUITES = {(0x20, 1, 3): AEADId.CHACHA20_POLY1305, (0x20, 1, 2): AEADId.AES256_GCM}
FIELDS = set("suite signature recipient_key_id submission_id device_id device_public_key "
             "device_seq created_at size_class".split())

def need(true, what):
    if not true:
        sys.exit("refused: " + what)

def size_class(n):
    step = 1 << max((n - 1).bit_length() - 1 - 3, 0)
    return 16384 if n <= 16384 else -(-n // step) * step

def once(pairs):
    need(len(pairs) == len(dict(pairs)), "a JSON key occurs twice")
    return dict(pairs)

def open_sealed(data, secret):
    stream = io.BytesIO(data)
    def take(n):
        got = stream.read(n)
        need(len(got) == n, "truncated")
        return got
    def number(n):
        return int.from_bytes(take(n), "big")
    need(take(8) == b"RONGGUI\0", "bad magic")
    need(number(2) == 1, "unknown version")
    length = number(4)
    need(length <= 8192, "header too long")
    raw = take(length)
    header = json.loads(raw, object_pairs_hook=once)
    need(set(header) == FIELDS, "header fields")
    aead = SUITES.get(tuple(header["suite"][k] for k in ("kem", "kdf", "aead")))
    need(aead is not None and header["signature"] == "ed25519-sha256", "unknown suite")
    device = bytes.fromhex(header["device_public_key"])
    need(hashlib.sha256(device).hexdigest() == header["device_id"], "device id")
    size = header["size_class"]
    need(16384 <= size <= 256 << 20 and size_class(size) == size, "size class")
    need(number(2) == 32, "encapsulated key length")
    enc, frames, left = take(32), [], size
    while left:
        plain = min(left, CHUNK)
        left -= plain
        need(number(4) == plain + TAG | (0 if left else LAST), "frame length")
        frames.append(take(plain + TAG))
    body = data[:stream.tell()]
    digest, signature = take(32), take(64)
    need(stream.read() == b"", "trailing data")
    need(hashlib.sha256(body).digest() == digest, "digest")
    Ed25519PublicKey.from_public_bytes(device).verify(signature, CONTEXT + digest)

    need(header["recipient_key_id"] == secret["key_id"], "wrong recipient")
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, aead)
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(secret["secret_key"]))
    context = suite.create_recipient_context(
        enc, KEMKey.from_pyca_cryptography_key(key), info=CONTEXT + hashlib.sha256(raw).digest())
    archive = b"".join(context.open(frame, aad=b"final" if i + 1 == len(frames) else b"")
                       for i, frame in enumerate(frames))
    files, end = {}, 0
    for entry in tarfile.open(fileobj=io.BytesIO(archive), mode="r:"):
        need(entry.type == tarfile.REGTYPE and entry.offset == end, "not a plain file")
        need(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}", entry.name), "file name")
        need((entry.name == "manifest.json") == (not files), "manifest not first")
        need(entry.name not in files, "doubled name")
        files[entry.name] = archive[entry.offset_data:entry.offset_data + entry.size]
        end = entry.offset_data + -(-entry.size // 512) * 512
    need(not any(archive[end:]), "padding not zero")
    need(size_class(end + 1024) == size, "padding length")
    manifest = json.loads(files["manifest.json"], object_pairs_hook=once)
    need(manifest["schema_version"] == 1, "schema version")
    need(all(manifest[k] == header[k] for k in ("submission_id", "device_id", "created_at")),
         "manifest disagrees with header")
    strokes = manifest["declaration"].get("signature_strokes")
    named = {f["name"]: f for f in manifest["materials"] + ([strokes] if strokes else [])}
    need(set(named) | {"manifest.json"} == set(files), "manifest disagrees with files")
    for name, entry in named.items():
        need(hashlib.sha256(files[name]).hexdigest() == entry["sha256"]
             and len(files[name]) == entry["bytes"], "manifest disagrees with a file")
    return header, files

if __name__ == "__main__":
    sealed, secret, out = map(pathlib.Path, sys.argv[1:])
    header, files = open_sealed(sealed.read_bytes(), json.loads(secret.read_text()))
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    print(header["submission_id"], "opened:", ", ".join(files))
