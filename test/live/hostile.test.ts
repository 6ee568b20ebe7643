import { endAll } from "../support/gateway-process.ts";
import { testThemes } from "../support/hostile/themes.ts";

process.once("exit", endAll);

testThemes(["frames", "handshake", "identity", "authority", "pairing", "origins", "locality", "secrets"]);
