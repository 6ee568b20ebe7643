import * as v from "valibot";
import { amount, type KeyMetadata, secret, text, whole } from "./section.ts";

const model = v.looseObject({
  id: v.pipe(text, v.description("The provider's name of the model.")),
  name: v.pipe(v.optional(text), v.description("Name shown to people.")),
  api: v.pipe(v.optional(text), v.description("Protocol, where it differs from the provider's.")),
  reasoning: v.pipe(v.optional(v.boolean()), v.description("It can think before it answers.")),
  input: v.pipe(v.optional(v.array(text, "a list such as text, image")), v.description("What it reads: text, image.")),
  contextWindow: v.pipe(v.optional(whole(1)), v.description("Tokens it can read at once.")),
  maxTokens: v.pipe(v.optional(whole(1)), v.description("Tokens it can write at once.")),
  cost: v.pipe(
    v.optional(
      v.looseObject({
        input: v.pipe(v.optional(amount(), 0), v.description("For a million tokens read, in US dollars.")),
        output: v.pipe(v.optional(amount(), 0), v.description("For a million tokens written.")),
        cacheRead: v.pipe(v.optional(amount(), 0), v.description("For a million tokens read from the cache.")),
        cacheWrite: v.pipe(v.optional(amount(), 0), v.description("For a million tokens put into the cache.")),
      }),
    ),
    v.description("What it costs."),
  ),
  compat: v.pipe(
    v.optional(v.record(v.string(), v.unknown(), "an object")),
    v.description("Where it differs from its protocol."),
  ),
});

const provider = v.looseObject({
  baseUrl: v.pipe(v.optional(text), v.description("Address of the provider's interface.")),
  apiKey: v.pipe(v.optional(secret), v.description("Key for the provider.")),
  api: v.pipe(
    v.optional(text),
    v.description("Protocol: openai-completions, openai-responses, anthropic-messages or google-generative-ai."),
  ),
  headers: v.pipe(
    v.optional(v.record(v.string(), v.string("a text in quotes"), "an object of headers")),
    v.description("Headers sent with every request."),
    v.metadata({ secret: true } satisfies KeyMetadata),
  ),
  models: v.pipe(v.optional(v.array(model, "a list of models"), []), v.description("The models it offers.")),
});

/** The `models` section: model providers besides the built-in ones. */
export const modelsSection = v.pipe(
  v.looseObject({
    mode: v.pipe(
      v.optional(v.picklist(["merge", "replace"]), "merge"),
      v.description("Whether these providers add to the built-in ones or stand alone."),
    ),
    providers: v.pipe(
      v.optional(v.record(v.string(), provider, "an object of providers by id"), {}),
      v.description("Providers by id."),
    ),
  }),
  v.metadata({ reload: "live" } satisfies KeyMetadata),
);

/** The `auth` section: which credentials there are for model providers; the secrets are elsewhere (cli.md 2.6). */
export const authSection = v.pipe(
  v.looseObject({
    profiles: v.pipe(
      v.optional(
        v.record(
          v.string(),
          v.looseObject({
            provider: v.pipe(text, v.description("The provider it is for.")),
            mode: v.pipe(
              v.optional(v.picklist(["api_key", "oauth", "token"]), "api_key"),
              v.description("What kind of credential it is."),
            ),
            email: v.pipe(v.optional(text), v.description("Whose it is.")),
          }),
          "an object of profiles by id",
        ),
        {},
      ),
      v.description("Credentials by id."),
    ),
    order: v.pipe(
      v.optional(v.record(v.string(), v.array(text, "a list of profile ids"), "an object of lists by provider"), {}),
      v.description("Which credential of a provider is taken first."),
    ),
    cooldowns: v.pipe(
      v.optional(
        v.looseObject({
          billingBackoffHours: v.pipe(v.optional(amount(), 5), v.description("Rest of a credential without credit.")),
          billingMaxHours: v.pipe(v.optional(amount(), 24), v.description("Longest such rest.")),
          failureWindowHours: v.pipe(v.optional(amount(), 24), v.description("When failures are forgotten.")),
        }),
        {},
      ),
      v.description("How long a credential that failed rests."),
    ),
  }),
  v.metadata({ reload: "restart" } satisfies KeyMetadata),
);
