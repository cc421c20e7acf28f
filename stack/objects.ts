import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { OBJECTS_VERSION } from "./artifacts.ts";
import { environmentOf } from "./environment.ts";
import type { Part, PartInput } from "./part.ts";

/** versitygw over a directory; attributes lie in a directory beside it, so that any file system will do. */
export function objects({ state, artifacts, logDir }: PartInput): Part {
  const dir = join(state.dataDir, "objects");
  const env = environmentOf(state);
  // Neither path may be a prefix of the other: versitygw refuses that.
  const [files, attributes] = [join(dir, "files"), join(dir, "attributes")];
  return {
    name: "objects",
    version: OBJECTS_VERSION,
    after: [],
    async prepare() {
      mkdirSync(files, { recursive: true });
      mkdirSync(attributes, { recursive: true });
    },
    launch: () => ({
      command: join(artifacts.objects, "versitygw"),
      args: ["--port", `127.0.0.1:${state.ports.objects}`, "--quiet", "posix", "--sidecar", attributes, files],
      cwd: dir,
      log: join(logDir, "objects.log"),
      env: { ROOT_ACCESS_KEY: env.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: env.AWS_SECRET_ACCESS_KEY },
    }),
  };
}
