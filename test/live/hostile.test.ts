import { testThemes } from "../support/hostile/themes.ts";
import { endLaunched } from "../support/launch.ts";

process.once("exit", endLaunched);

testThemes(["frames", "handshake", "identity", "authority", "pairing", "codes", "origins", "locality", "secrets"]);
