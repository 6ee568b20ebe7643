import { test } from "uvu";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { logsContract } from "../contract/logs.ts";

logsContract("memory", createMemoryLogs);

test.run();
