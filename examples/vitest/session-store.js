/** What is to be tested: sessions that end half an hour after they were last used. Takes any client of node-redis. */
const LIFETIME_SECONDS = 30 * 60

export class SessionStore {
  #redis

  constructor(redis) {
    this.#redis = redis
  }

  async save(id, data) {
    await this.#redis.set(`session:${id}`, JSON.stringify(data), {
      expiration: { type: 'EX', value: LIFETIME_SECONDS },
    })
  }

  /** The session's data, or null. Using it prolongs it. */
  async load(id) {
    const text = await this.#redis.getEx(`session:${id}`, { type: 'EX', value: LIFETIME_SECONDS })
    return text === null ? null : JSON.parse(text)
  }
}
