// A tus server on a free port of this machine: tells the port on standard output, keeps its files in
// the folder given, and ends when its standard input does.
import { createServer } from "node:http";
import { Server } from "@tus/server";
import { FileStore } from "@tus/file-store";

const directory = process.argv[2];
const tus = new Server({ path: "/files", datastore: new FileStore({ directory }) });
const server = createServer((request, response) => tus.handle(request, response));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
