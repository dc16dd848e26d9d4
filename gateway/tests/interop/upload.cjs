// Uploads a sealed file with tus-js-client over mutual TLS, through a line that is cut in the middle,
// and says what happened as JSON. Usage: node upload.cjs JOB.json
'use strict';

const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const tus = require('tus-js-client');

const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const bytes = fs.readFileSync(job.file);
const events = [];

// A line to the gateway that breaks once, after so many bytes.
let left = job.cutAfter;
let cuts = 0;
const line = net.createServer((near) => {
  const far = net.connect(job.port, '127.0.0.1');
  const end = () => {
    near.destroy();
    far.destroy();
  };
  near.on('data', (part) => {
    if (cuts === 0 && part.length >= left) {
      cuts += 1;
      far.write(part.subarray(0, left), end);
      return;
    }
    left -= part.length;
    far.write(part);
  });
  far.on('data', (part) => near.write(part));
  for (const side of [near, far]) {
    side.on('error', end);
    side.on('close', end);
  }
});

const identity = {
  ca: fs.readFileSync(job.ca),
  cert: fs.readFileSync(job.cert),
  key: fs.readFileSync(job.key),
};

function finish(result) {
  line.close();
  process.stdout.write(JSON.stringify({ cuts, events, ...result }) + '\n', () => process.exit(0));
}

function receipt(port) {
  const path = `/submissions/${job.id}/receipt`;
  https.get({ host: '127.0.0.1', port, path, ...identity }, (answer) => {
    let text = '';
    answer.on('data', (part) => (text += part));
    answer.on('end', () => finish({ receipt: JSON.parse(text) }));
  });
}

line.listen(0, '127.0.0.1', () => {
  const { port } = line.address();
  const agent = new https.Agent({ ...identity, keepAlive: true });
  const upload = new tus.Upload(bytes, {
    endpoint: `https://127.0.0.1:${port}/uploads`,
    chunkSize: job.chunk,
    retryDelays: [0, 200, 500, 1000],
    metadata: { submission_id: job.id, digest: job.digest },
    uploadDataDuringCreation: job.withCreation,
    httpStack: new tus.DefaultHttpStack({ agent }),
    onAfterResponse: (request, response) => {
      events.push({
        method: request.getMethod(),
        status: response.getStatus(),
        offset: Number(response.getHeader('Upload-Offset') ?? -1),
        expires: response.getHeader('Upload-Expires') !== undefined,
      });
    },
    onError: (error) => finish({ error: String(error) }),
    onSuccess: () => receipt(port),
  });
  upload.start();
});
