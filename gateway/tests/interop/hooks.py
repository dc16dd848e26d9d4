"""Bodies of tus are plain bytes under a name of their own."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
