-- The same as vectors.luau, for a language without vectors: tables of three numbers replace them.

local function create(x, y, z)
	return { x = x, y = y, z = z }
end

local function clamp(value, low, high)
	return math.max(low, math.min(high, value))
end

local function work()
	local positions, velocities = {}, {}
	for index = 1, 100 do
		positions[index] = create(index, index % 7, index % 3)
		velocities[index] = create(index % 5 - 2, 1, index % 2)
	end
	local sum = 0
	for _ = 1, 100 do
		for index = 1, 100 do
			local p, v = positions[index], velocities[index]
			local position = create(p.x + v.x * 2, p.y + v.y * 2, p.z + v.z * 2)
			if position.x * position.x + position.y * position.y + position.z * position.z > 5000 then
				v = create(-v.x, -v.y, -v.z)
				velocities[index] = v
				position = create(clamp(position.x, -50, 50), clamp(position.y, -50, 50), clamp(position.z, -50, 50))
			end
			positions[index] = position
			local turned = create(
				position.y * v.z - position.z * v.y,
				position.z * v.x - position.x * v.z,
				position.x * v.y - position.y * v.x
			)
			sum = (sum + turned.x + turned.y * 2 + turned.z * 3 + math.max(position.x, turned.x)) % 1000003
		end
	end
	return sum
end

return work
