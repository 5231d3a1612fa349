-- The same as buffers.luau, for a language without buffers: tables of bytes, and string.pack for the wider numbers.

local LENGTH = 4096

local function work()
	local sum = 0
	local bytes = {}
	for round = 1, 4 do
		for offset = 0, LENGTH - 1 do
			bytes[offset] = (offset * 7 + round) % 256
		end
		for offset = 0, LENGTH - 1 do
			sum = (sum * 31 + bytes[offset]) % 1000003
		end
		for offset = 0, LENGTH - 4, 4 do
			local a, b, c, d = string.byte(string.pack("<i4", offset * round - 5000), 1, 4)
			bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3] = a, b, c, d
		end
		for offset = 0, LENGTH - 4, 4 do
			local text = string.char(bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3])
			sum = (sum + (string.unpack("<i4", text))) % 1000003
		end
		for offset = 0, LENGTH - 8, 8 do
			local packed = string.pack("<d", offset / 8 + round)
			for index = 1, 8 do
				bytes[offset + index - 1] = string.byte(packed, index)
			end
		end
		for offset = 0, LENGTH - 8, 8 do
			local parts = {}
			for index = 1, 8 do
				parts[index] = string.char(bytes[offset + index - 1])
			end
			sum = (sum + (string.unpack("<d", table.concat(parts)))) % 1000003
		end
		local copy = {}
		for offset = 0, LENGTH - 1 do
			copy[offset] = bytes[offset]
		end
		for offset = 100, 1099 do
			copy[offset] = 17
		end
		for offset = 1, LENGTH - 1, 2 do
			sum = (sum + copy[offset]) % 1000003
		end
	end
	return sum
end

return work
