/** What is to be tested: so many calls in each window of time. Takes any client of ioredis. */
exports.isAllowed = async function isAllowed(redis, user, limit, windowSeconds) {
  const key = `calls:${user}`
  const [[, calls]] = await redis.multi().incr(key).expire(key, windowSeconds, 'NX').exec()
  return calls <= limit
}
