export interface StreamMessage {
  id?: string;
  event: string;
  data: string;
}

/** Cuts a server-sent event stream into messages, whatever the chunks it arrives in. Comments are dropped. */
export class EventStreamParser {
  #buffer = '';
  #id: string | undefined;
  #event = '';
  #data: string[] = [];

  push(chunk: string): StreamMessage[] {
    this.#buffer += chunk;
    const messages: StreamMessage[] = [];
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#buffer);
      if (!end) return messages;
      const line = this.#buffer.slice(0, end.index);
      this.#buffer = this.#buffer.slice(end.index + end[0].length);
      const message = this.#line(line);
      if (message) messages.push(message);
    }
  }

  #line(line: string): StreamMessage | undefined {
    if (line === '') {
      const data = this.#data.join('\n');
      const event = this.#event || 'message';
      const had = this.#data.length > 0;
      this.#event = '';
      this.#data = [];
      return had ? { ...(this.#id !== undefined && { id: this.#id }), event, data } : undefined;
    }
    if (line.startsWith(':')) return undefined;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    return undefined;
  }
}
