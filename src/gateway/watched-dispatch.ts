import { Failure } from "../kit/error.ts";
import type { CallObserver } from "../observe/observer.ts";
import type { Dispatcher } from "./dispatch.ts";

/** The same dispatcher, with an observer told of each call; without one, the dispatcher itself. */
export function watchDispatcher(inner: Dispatcher, observer: CallObserver | undefined): Dispatcher {
  if (!observer) return inner;
  return {
    run(request, connection, options) {
      const ended = observer.called(request);
      try {
        const result = inner.run(request, connection, options);
        if (typeof result === "string") {
          ended?.();
          return result;
        }
        void result.then(
          () => ended?.(),
          (error: unknown) => ended?.(Failure.from(error)),
        );
        return result;
      } catch (error) {
        ended?.(Failure.from(error));
        throw error;
      }
    },
  };
}
