/** The shared secret of a gateway that is started to be attacked. */
export const token = "canary-shared-6f1d2c3b4a59";

const secrets = {
  password: "canary-password-77aa31",
  apiKey: "canary-apikey-2c81f09d",
  header: "canary-header-0b9e55d1",
  botToken: "8123456789:canary-bot-token-AAAbbbCCCdddEEEfff",
  urlPassword: "canary-url-6e5d4c3b",
  environment: "canary-env-91d0aa27",
  remote: "canary-remote-44fe10",
  plugin: "canary-plugin-5ab3c2",
} as const;

/** What must never be shown to anybody. */
export const canaries: readonly string[] = [token, ...Object.values(secrets)];

/** A configuration with a secret in every place that may hold one, known to the schema or not. */
export const planted = {
  gateway: {
    mode: "local",
    auth: { mode: "token", token, password: secrets.password, rateLimit: { lockoutMs: 2000 } },
    remote: { url: "wss://gateway.example", token: secrets.remote },
  },
  models: {
    providers: {
      canary: {
        baseUrl: `https://user:${secrets.urlPassword}@models.example/v1`,
        apiKey: secrets.apiKey,
        headers: { "x-custom": secrets.header },
        models: [{ id: "m" }],
      },
    },
  },
  channels: { telegram: { enabled: false, botToken: secrets.botToken } },
  env: { CANARY_KEY: secrets.environment },
  plugins: { entries: { example: { config: { apiKey: secrets.plugin } } } },
} as const;
