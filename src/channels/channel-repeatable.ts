import { Failure } from "../kit/error.ts";

/**
 * Passes on what `work` gives, where doing it twice does no harm, such as an upload that nobody sees yet: an answer that
 * was lost (`timeout`) means that it is to be done again (`unavailable`).
 */
export async function repeatable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code, message } = Failure.from(error);
    throw code === "timeout" ? new Failure("unavailable", message, { cause: error }) : error;
  }
}
