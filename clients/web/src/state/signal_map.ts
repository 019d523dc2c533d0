/* Things by id, each a signal of its own: who shows one is told of that one alone. */
import { signal, type Signal } from '@preact/signals';

export class SignalMap<T> {
  private readonly map = new Map<string, Signal<T | undefined>>();

  /** The signal of an id, whether there is a thing yet or not. */
  at(id: string): Signal<T | undefined> {
    let s = this.map.get(id);
    if (!s) this.map.set(id, (s = signal<T | undefined>(undefined)));
    return s;
  }

  get(id: string): T | undefined {
    return this.map.get(id)?.peek();
  }

  set(id: string, value: T | undefined): void {
    this.at(id).value = value;
  }

  *values(): Iterable<T> {
    for (const s of this.map.values()) {
      const value = s.peek();
      if (value !== undefined) yield value;
    }
  }

  clear(): void {
    for (const s of this.map.values()) s.value = undefined;
  }
}
