/** A typed publish-subscribe point. Listeners run in the order they came; one that throws does not stop the others. */
export interface Events<Map extends object> {
  on<K extends keyof Map>(name: K, listener: (payload: Map[K]) => void): () => void;
  emit<K extends keyof Map>(name: K, payload: Map[K]): void;
}

export function createEvents<Map extends object>(failed: (error: unknown) => void): Events<Map> {
  const listeners = new Map<keyof Map, Set<(payload: never) => void>>();
  return {
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(name) === set) listeners.delete(name);
      };
    },
    emit(name, payload) {
      for (const listener of listeners.get(name) ?? []) {
        try {
          (listener as (payload: unknown) => void)(payload);
        } catch (error) {
          failed(error);
        }
      }
    },
  };
}
