export const sin = Math.sin
export const cos = Math.cos
export const asin = Math.asin
