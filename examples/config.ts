/** The configuration of every example: one secret, and a model that repeats what it hears and costs nothing. */
export const exampleConfig = (token: string) => ({
  gateway: { auth: { token } },
  agents: { defaults: { model: "clawlet/echo" } },
});
