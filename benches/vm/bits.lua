-- The same as bits.luau, with the operators of Lua 5.3 instead of the library bit32.

local function rrotate(x, n)
	return ((x >> n) | (x << (32 - n))) & 0xffffffff
end

-- If integers have 32 bits, the upper half of the words is negative.
local function word(number)
	if number >= 2147483648 and math.maxinteger == 2147483647 then
		number = number - 4294967296
	end
	return math.tointeger(number)
end

local constants, start = {}, {}
do
	local number, count = 2, 0
	while count < 64 do
		local prime = true
		for divisor = 2, number - 1 do
			if divisor * divisor > number then
				break
			end
			if number % divisor == 0 then
				prime = false
				break
			end
		end
		if prime then
			count = count + 1
			constants[count] = word(math.floor(number ^ (1 / 3) % 1 * 4294967296))
			if count <= 8 then
				start[count] = word(math.floor(number ^ 0.5 % 1 * 4294967296))
			end
		end
		number = number + 1
	end
end

local function sha256(text)
	local padded = text .. "\128" .. string.rep("\0", (55 - #text) % 64) .. "\0\0\0\0" .. string.char(
		#text * 8 // 16777216 % 256, #text * 8 // 65536 % 256, #text * 8 // 256 % 256, #text * 8 % 256
	)
	local hash = {}
	for index = 1, 8 do
		hash[index] = start[index]
	end
	local w = {}
	for block = 1, #padded, 64 do
		for index = 1, 16 do
			local a, b, c, d = string.byte(padded, block + index * 4 - 4, block + index * 4 - 1)
			w[index] = a * 16777216 + b * 65536 + c * 256 + d
		end
		for index = 17, 64 do
			local x, y = w[index - 15], w[index - 2]
			local s0 = rrotate(x, 7) ~ rrotate(x, 18) ~ (x >> 3)
			local s1 = rrotate(y, 17) ~ rrotate(y, 19) ~ (y >> 10)
			w[index] = (w[index - 16] + s0 + w[index - 7] + s1) & 0xffffffff
		end
		local a, b, c, d, e, f, g, h = hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7], hash[8]
		for index = 1, 64 do
			local s1 = rrotate(e, 6) ~ rrotate(e, 11) ~ rrotate(e, 25)
			local choice = (e & f) ~ (~e & g)
			local t1 = h + s1 + choice + constants[index] + w[index]
			local s0 = rrotate(a, 2) ~ rrotate(a, 13) ~ rrotate(a, 22)
			local majority = (a & b) ~ (a & c) ~ (b & c)
			h, g, f, e, d, c, b, a = g, f, e, (d + t1) & 0xffffffff, c, b, a, (t1 + s0 + majority) & 0xffffffff
		end
		for index, value in ipairs({ a, b, c, d, e, f, g, h }) do
			hash[index] = (hash[index] + value) & 0xffffffff
		end
	end
	return hash
end

local function work()
	local known = sha256("abc")
	if known[1] >> 16 & 0xffff ~= 0xba78 or known[8] & 0xffff ~= 0x15ad then
		error("this is not SHA-256")
	end
	local sum = 0
	local hash = sha256(string.rep("all work and no play ", 200))
	for index = 1, 8 do
		sum = (sum * 31 + (hash[index] & 0xffff) + (hash[index] >> 16 & 0xffff)) % 1000003
	end
	for number = 1, 6000 do
		local bits, rest = 0, number * 2654 % 65536
		while rest ~= 0 do
			rest = rest & (rest - 1)
			bits = bits + 1
		end
		sum = sum + bits
	end
	return sum % 1000003
end

return work
