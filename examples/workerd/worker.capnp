# workerd serve worker.capnp: the worker, its Durable Object, and the folder that keeps the object's database.
# Bundle the worker first: esbuild worker.ts --bundle --format=esm --conditions=workerd,worker,browser --outfile=worker.js
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = .gateway),
    (name = "state", disk = (path = "state", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "gateway")],
);

const gateway :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-07-01",
  bindings = [
    (name = "GATEWAY", durableObjectNamespace = "Gateway"),
    (name = "GATEWAY_TOKEN", fromEnvironment = "GATEWAY_TOKEN"),
    (name = "PAGE_ORIGIN", fromEnvironment = "PAGE_ORIGIN"),
  ],
  durableObjectNamespaces = [(className = "Gateway", uniqueKey = "clawlet-gateway", enableSql = true)],
  durableObjectStorage = (localDisk = "state"),
);
