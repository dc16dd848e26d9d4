"""Opens a sealed submission. Written from docs/sealed-submission.md, RFC 9180 and, for X-Wing,
draft-connolly-cfrg-xwing-kem; needs cryptography (for X-Wing 48 or later).

usage: open.py FILE.sealed RECIPIENT-SECRET.json OUT-FOLDER
"""
import hashlib, hmac, io, json, pathlib, re, sys, tarfile
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

CONTEXT = b"ronggui/submission/v1"
CHUNK, TAG, LAST = 65536, 16, 1 << 31
X25519, XWING = 0x20, 0x647a
ENC = {X25519: 32, XWING: 1120}
SUITES = {(X25519, 1, 3): ChaCha20Poly1305, (X25519, 1, 2): AESGCM, (XWING, 1, 3): ChaCha20Poly1305}
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

def extract(suite, salt, label, ikm):
    return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")

def expand(suite, prk, label, info, length):
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, info + b"\1", "sha256")[:length]

def x25519(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(
        X25519PublicKey.from_public_bytes(public))

def public_of(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

def decapsulate(kem, secret, enc):
    if kem == X25519:
        suite = b"KEM" + kem.to_bytes(2, "big")
        prk = extract(suite, b"", b"eae_prk", x25519(secret, enc))
        return expand(suite, prk, b"shared_secret", enc + public_of(secret), 32)
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    seeds = hashlib.shake_256(secret).digest(96)
    lattice, curve = enc[:1088], enc[1088:]
    shared = MLKEM768PrivateKey.from_seed_bytes(seeds[:64]).decapsulate(lattice)
    return hashlib.sha3_256(shared + x25519(seeds[64:], curve) + curve + public_of(seeds[64:])
                            + b"\\.//^\\").digest()

def decrypt(ids, cipher, secret, enc, info, frames):
    suite = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in ids)
    prk = extract(suite, decapsulate(ids[0], secret, enc), b"secret", b"")
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    aead = cipher(expand(suite, prk, b"key", context, 32))
    base = int.from_bytes(expand(suite, prk, b"base_nonce", context, 12), "big")
    return b"".join(
        aead.decrypt((base ^ i).to_bytes(12, "big"), frame, b"final" if i + 1 == len(frames) else b"")
        for i, frame in enumerate(frames))

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
    ids = tuple(header["suite"][k] for k in ("kem", "kdf", "aead"))
    need(ids in SUITES and header["signature"] == "ed25519-sha256", "unknown suite")
    device = bytes.fromhex(header["device_public_key"])
    need(hashlib.sha256(device).hexdigest() == header["device_id"], "device id")
    size = header["size_class"]
    need(16384 <= size <= 256 << 20 and size_class(size) == size, "size class")
    need(number(2) == ENC[ids[0]], "encapsulated key length")
    enc, frames, left = take(ENC[ids[0]]), [], size
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
    need(ids[0] == secret["kem"], "the key is not for this suite")
    archive = decrypt(ids, SUITES[ids], bytes.fromhex(secret["secret_key"]), enc,
                      CONTEXT + hashlib.sha256(raw).digest(), frames)
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
