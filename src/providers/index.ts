import { anthropic } from "./anthropic.ts";
import { echo } from "./echo.ts";
import { google } from "./google.ts";
import { ollama } from "./ollama.ts";
import { openaiCompletions } from "./openai-completions.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { Api, Provider } from "./provider.ts";

/** Every dialect by the name that the configuration knows it under. */
export const providers: Readonly<Record<Api, Provider>> = {
  "anthropic-messages": anthropic,
  "openai-responses": openaiResponses,
  "openai-completions": openaiCompletions,
  "google-generative-ai": google,
  ollama,
  echo,
};
